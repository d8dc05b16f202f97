/* git/diff.h against the real git: every record, count and patch must be what git prints. */
#include "git/library.h"

#include "tests/unit/diff_against_git.h"

static void test_plain(void)
{
    TEST("committed, staged and unstaged changes are one difference") {
        check_session("seq 1 40 >a; seq 1 40 >b; seq 1 40 >c; echo same >d",
                      "sed -i 's/^20$/x/' a; git commit -qam a; sed -i 3d b; git add b;"
                      "sed -i '7a new' c; sed -i 's/^30$/y/' a; echo n >n; git add n");
    }
    TEST("a change that was taken back is none, nor is a file that only was touched") {
        check_session("echo a >a; echo b >b",
                      "echo x >a; git commit -qam x; echo a >a; touch -d 2030-01-01 b;"
                      "echo gone >gone; git add gone; rm gone");
    }
    TEST("deletions, staged and not, and a file that was deleted and came back") {
        check_session("echo a >a; echo b >b; echo c >c; echo d >d; printf '' >empty",
                      "rm a; git rm -q b; rm c empty; echo c2 >c; git rm -q d; git commit -qm d");
    }
    TEST("files without a newline at their end, before, after, both") {
        check_session("printf 'a\\nb' >a; printf 'a\\nb\\n' >b; printf 'a\\nb' >c; printf x >d",
                      "printf 'a\\nb\\n' >a; printf 'a\\nb' >b; printf 'x\\nb' >c; rm d;"
                      "printf y >e; git add e; printf z >f");
    }
    TEST("empty files: new, deleted, filled, emptied") {
        check_session("printf '' >a; echo b >b; printf '' >c",
                      "echo a >a; printf '' >b; rm c; printf '' >d; git add d; printf '' >e");
    }
    TEST("carriage returns are shown as they are") {
        check_session("printf 'a\\r\\nb\\r\\n' >a; printf 'a\\nb\\n' >b",
                      "printf 'a\\r\\nc\\r\\n' >a; printf 'a\\r\\nb\\r\\n' >b; printf '\\r\\n' >n");
    }
    TEST("line endings that git converts make no change") {
        check_session(
            "printf '*.txt text\\n*.eol text eol=crlf\\n' >.gitattributes;"
            "printf 'a\\r\\nb\\r\\n' >a.txt; printf 'a\\r\\n' >b.eol",
            "printf 'a\\nb\\n' >a.txt; printf 'a\\nb\\n' >b.eol; printf 'n\\r\\n' >n.txt");
        check_session("git config core.autocrlf input; printf 'a\\nb\\n' >a",
                      "printf 'a\\r\\nb\\r\\nc\\r\\n' >a; printf 'n\\r\\n' >n;"
                      "git config core.safecrlf true");
    }
    TEST("modes: executable, and with content") {
        check_session("echo a >a; echo b >b; echo c >c; chmod +x c",
                      "chmod +x a b; echo bb >b; chmod -x c; echo n >n; chmod +x n;"
                      "echo m >m; chmod +x m; git add m");
        check_session("git config core.fileMode false; echo a >a; echo b >b",
                      "chmod +x a; chmod +x b; echo bb >b; echo n >n; git add n; chmod +x n;"
                      "echo u >u; chmod +x u");
    }
}

static void test_kinds(void)
{
    TEST("binary files have no counts: by content, by attribute, by driver") {
        check_session("printf '\\0\\1' >a; printf 't\\n' >b; printf '*.dat -diff\\n*.txt diff\\n"
                      "*.drv diff=drv\\n*.bin binary\\n' >.gitattributes; echo d >d.dat;"
                      "printf '\\0' >t.txt; echo v >v.drv; echo n >n.bin",
                      "printf '\\0\\2' >a; printf '\\0' >b; echo dd >d.dat; printf '\\0x' >t.txt;"
                      "git config diff.drv.binary true; echo vv >v.drv; echo nn >n.bin;"
                      "printf '\\0' >new; printf '\\0' >added; git add added; echo u >u.dat");
    }
    TEST("a NUL after the first 8000 bytes makes no binary") {
        check_session("head -c 7999 /dev/zero | tr '\\0' a >a; cp a b",
                      "printf 'x\\0y\\n' >>a; printf '\\0y\\n' >>b");
    }
    TEST("symbolic links: new, changed, deleted, in place of a file and the reverse") {
        check_session("ln -s x a; ln -s x b; echo c >c; ln -s x d; ln -s t e; printf t >f",
                      "ln -sfn y a; rm b; rm c; ln -s c2 c; rm d; echo d >d; ln -s z n;"
                      "ln -s z m; git add m; rm f; ln -s t f; rm e; printf t >e");
    }
    TEST("a folder in place of a file, and the reverse") {
        check_session("echo a >a; mkdir d; echo b >d/b; echo c >d/c",
                      "rm a; mkdir a; echo x >a/x; rm -r d; echo d >d");
        check_session("echo a >a; mkdir d; echo b >d/b", "rm -r d; ln -s /tmp d; rm a");
        check_session("mkdir d e; echo b >d/b; echo b >e/b", "rm -r d; ln -s e d");
    }
    TEST("submodules: moved on, dirty, staged, gone, empty, new, in place of a file") {
        check_session(
            "git init -q -b main ../lib; (cd ../lib; echo l >l; git add .; git commit -qm l);"
            "git submodule --quiet add ../lib s1; for i in 2 3 4 5 6 7; do git clone -q ../lib s$i;"
            "git add s$i; done; echo f >f",
            "(cd s1; echo 2 >2; git add 2; git commit -qm 2); echo x >s2/l; echo u >s3/u;"
            "(cd s4; git commit -qm e --allow-empty); git add s4; rm -rf s5; rm -rf s6; mkdir s6;"
            "rm -rf s7; echo 7 >s7; rm f; git clone -q ../lib f; git clone -q ../lib n;"
            "git add n; git clone -q ../lib u; git init -q v");
    }
    TEST("files in conflict are compared as they are on disk") {
        check_session("echo 1 >a; echo 1 >b; echo 1 >c; echo 1 >d",
                      "git checkout -qb other; echo o >a; git rm -q b; echo o >n; git add n;"
                      "echo o >c; rm d; git commit -qam o; git checkout -q main; echo m >a;"
                      "echo m >b; echo m >n; git add n; echo m >c; echo m >d; git commit -qam m;"
                      "git merge -q other || true; rm c d");
        {
            struct err err = {0};
            AUTO_DIFF struct diff *diff = open_diff(&err);

            CHECK_INT(count_tracked(diff), 5);
            for (size_t i = 0; i < count_tracked(diff); i++)
                CHECK(diff_at(diff, i)->unmerged);
        }
    }
    TEST("files that are only meant to be added, skipped or assumed unchanged") {
        check_session("echo a >a; echo b >b",
                      "echo i >i; git add -N i; git update-index --assume-unchanged a; echo x >a;"
                      "git update-index --skip-worktree b; echo x >b");
    }
}

static void test_names(void)
{
    TEST("names with blanks, quotes, other alphabets, bytes that are no UTF-8, and a newline") {
        check_session(
            "for f in 'a b' $'q\"q' $'caf\\xc3\\xa9' $'bad\\xff' $'n\\nl' 'back\\slash' "
            "$'t\\tt' '-dash' ':colon' '*' '[x]' $'\\x01\\x7f'; do echo 1 >\"./$f\"; done",
            "for f in *; do echo 2 >\"./$f\"; done; for f in *; do cp -- \"$f\" \"new $f\";"
            "done; git mv -- '-dash' $'moved \"here\" \\xc3\\xa9'");
        diff_shell(&fixture, "git config core.quotePath false");
        check_as_git();
    }
    TEST("the order of tracked and untracked files is git's") {
        check_session(
            "mkdir -p a a.b 'a-b' a0; for f in a/x a.b/x a-b/x a0/x ab; do echo 1 >$f; done",
            "for f in a/x a.b/x a-b/x a0/x ab; do echo 2 >$f; done; mkdir u u.u u-u u0;"
            "for f in u/x u.u/x u-u/x u0/x uu U z/; do echo 1 >$f || mkdir $f; done;"
            "git init -q u/nested; git init -q u.rep; echo i >ignored; mkdir dir;"
            "echo i >dir/ignored; echo n >dir/n; echo ignored >.gitignore;"
            "mkdir allout; echo '*' >allout/.gitignore; echo x >allout/x; mkfifo pipe");
    }
}

static void test_limits(void)
{
    struct diff_options options = {
        .path = fixture.path, .base = fixture.base, .listing_max = LISTING_MAX, .step_ms = STEP_MS};
    struct diff_counts counts;
    struct diff *diff;
    struct err err = {0};

    diff_begin(&fixture);
    diff_shell(&fixture, "seq 1 9 >a; git add a; git commit -qm b");
    diff_set_base(&fixture);
    TEST("a listing over its limit is an error, of tracked and of untracked files") {
        diff_shell(&fixture, "for i in $(seq 100); do echo $i >f$i; done; rm a");
        options.listing_max = 391; /* what `git ls-files -z` prints, less one */
        CHECK_INT(diff_open(&options, &diff, &err), -1);
        CHECK_STR(err.text, "Repository change metadata exceeded its memory limit");
        options.listing_max = 392;
        CHECK_INT(diff_open(&options, &diff, &err), 0);
        diff_close(diff);
        diff_shell(&fixture, "git add .");
        diff_git(&fixture, &out, "--raw", "-z", "--no-abbrev", "--find-renames", fixture.base);
        options.listing_max = out.len - 1;
        CHECK_INT(diff_open(&options, &diff, &err), -1);
        CHECK_INT(err.class, ERR_LIMIT);
        options.listing_max = out.len;
        CHECK_INT(diff_open(&options, &diff, &err), 0);
        diff_close(diff);
        options.listing_max = LISTING_MAX;
    }
    TEST("a step over its time is an error") {
        options.step_ms = 0;
        CHECK_INT(diff_open(&options, &diff, &err), -1);
        CHECK_INT(err.class, ERR_TIMEOUT);
        options.step_ms = STEP_MS;
    }
    TEST("a commit that is not there is told in git's words") {
        options.base = "ffffffffffffffffffffffffffffffffffffffff";
        CHECK_INT(diff_open(&options, &diff, &err), -1);
        CHECK_STR(err.text, "fatal: Not a valid object name "
                            "ffffffffffffffffffffffffffffffffffffffff^{commit}");
        options.base = fixture.base;
    }
    TEST("a file over the limit counts as binary, and its patch is never made") {
        diff_shell(&fixture, "git rm -qrf --cached .; rm -f *; truncate -s 40M big;"
                             "yes | head -c 12000000 >long; git add .");
        CHECK_INT(diff_open(&options, &diff, &err), 0);
        buf_free(&patch);
        patch = BUF_INIT(1000);
        for (size_t i = 0; i < diff_count(diff); i++) {
            const char *path = diff_at(diff, i)->path;

            buf_reset(&patch);
            CHECK_INT(diff_render(diff, i, &counts, &patch, &err), 0);
            if (strcmp(path, "big") == 0)
                CHECK(counts.binary && patch.len == 0);
            if (strcmp(path, "long") == 0)
                CHECK(!counts.binary && buf_failed(&patch) && counts.additions == 6000000);
        }
        diff_close(diff);
    }
}

int main(void)
{
    diff_fixture_init(&fixture);
    test_plain();
    test_kinds();
    test_names();
    test_limits();
    diff_buffers_free();
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
