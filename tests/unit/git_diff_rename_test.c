/* Which files git/diff.h takes for renamed, and which lines for changed, against the real git. */
#include "git/library.h"

#include "tests/unit/diff_against_git.h"

static void test_renames(void)
{
    TEST("renames: as it was, changed, changed mode, into another folder, too much changed") {
        check_session("mkdir d; for f in a b c d/e f; do seq 1 60 | sed \"s/$/ $f/\" | tr / _ >$f;"
                      "done; printf '' >empty; printf '\\0bin' >bin; ln -s t link",
                      "git mv a a2; git mv b b2; sed -i 's/^30 /x/' b2; git mv c c2; chmod +x c2;"
                      "sed -i 5d c2; mkdir g; git mv d/e g/e; sed -i 1,9d g/e; git mv f f2;"
                      "seq 100 160 >f2; git mv empty empty2; git mv bin bin2; git mv link link2");
    }
    TEST("of several candidates the same ones are chosen as by git") {
        check_session(
            "mkdir o; for i in $(seq 20); do { seq 1 30; seq $i $((i + 20)); } >o/f$i; done;"
            "for i in 1 2 3; do echo same >o/s$i; done",
            "mkdir n; for i in $(seq 20); do { seq 1 30; seq $((i + 2)) $((i + 24)); }"
            ">n/g$i; done; for i in 3 4 5; do echo same >n/s$i; done; git rm -qr o;"
            "mkdir -p n/o; seq 1 50 >n/o/f3; git add n");
    }
    TEST("files of the same name in other folders, unique and not") {
        check_session(
            "mkdir a b c; for d in a b c; do seq 1 40 | sed \"s/$/$d/\" >$d/name; done;"
            "seq 50 99 >a/one; seq 50 97 >b/two",
            "mkdir x y; git mv a/name x/name; git mv b/name y/name; git rm -q c/name;"
            "git mv a/one y/one; git mv b/two x/three; sed -i 's/^7[0-9]$/z/' y/one x/three");
    }
    TEST("of equally similar files the one with the same name is taken, also where the name is not "
         "unique") {
        check_session("mkdir a b; seq 1 40 >a/p; cp a/p a/q; cp a/p b/q; cp a/p b/r",
                      "mkdir n; git mv a/q n/q; sed -i 3d n/q; git mv b/r n/r; sed -i 4d n/r;"
                      "git rm -qr a b");
    }
    TEST("long lines, binary parts and carriage returns are weighed as by git") {
        check_session("head -c 9000 /dev/zero | tr '\\0' a >long; seq 1 50 | sed 's/$/\\r/' >crlf;"
                      "{ printf '\\0'; seq 1 99; } >bin; seq 1 9 | tr '\\n' ' ' >tail",
                      "git mv long long2; head -c 4000 /dev/zero | tr '\\0' b >>long2;"
                      "git mv crlf crlf2; sed -i 's/\\r$//; 1,9d' crlf2; git mv bin bin2;"
                      "seq 1 30 >>bin2; git add .");
    }
    TEST("past diff.renameLimit only files with the same content or name are renames") {
        check_session("git config diff.renameLimit 2; mkdir o; for i in 1 2 3 4; do seq 1 30 | sed "
                      "\"s/$/$i/\" >o/f$i; done; cp o/f1 o/same",
                      "git mv o n; for i in 1 2 3 4; do echo x >>n/f$i; git mv n/f$i n/g$i; done;"
                      "git mv n/g4 n/f4; git add .");
    }
    TEST("a change of the index alone, with the file still there, is marked (git rm --cached)") {
        check_session("seq 1 9 >a; echo b >b; echo c >c", "git rm -q --cached a b; echo bb >>b");
    }
}

/* A file whose lines come from few words has many equally good comparisons. */
static void test_many(void)
{
    TEST("lines that repeat are matched as by git") {
        for (int seed = 1; seed <= 8; seed++) {
            char session[512];

            snprintf(
                session, sizeof session,
                "words() { awk -v n=$2 -v seed=$1 'BEGIN { srand(seed); for (i = 0; i < n; i++)"
                "print substr(\"abcdefgh\", 1 + int(rand() * 8), 1) }'; }; words %d 300 >a;"
                "git add a; git commit -qm 1; git tag -f b1",
                seed);
            diff_begin(&fixture);
            diff_shell(&fixture, "%s", session);
            diff_set_base(&fixture);
            diff_shell(
                &fixture,
                "awk 'BEGIN { srand(%d) } { r = rand(); if (r < .1) next; print; if (r > .9)"
                "print \"x\"; if (r > .97) print \"\"; if (r > .98) print \"  }\" }' a >b; mv b a",
                seed + 100);
            check_as_git();
        }
    }
    TEST("source text is matched as by git, blank lines and indents included") {
        check_session("for i in $(seq 60); do printf 'int f%d(void)\\n{\\n    if (x) {\\n"
                      "        y();\\n    }\\n\\n    return 0;\\n}\\n\\n' $((i % 7)); done >a.c",
                      "awk 'NR % 37 != 5 { print } NR % 41 == 3 { print \"    if (z) {\\n"
                      "        y();\\n    }\\n\" }' a.c >b; mv b a.c");
    }
    TEST("a new block is shown from its own beginning, not from the end of the one before") {
        check_session(
            "for i in 1 2 3; do printf '/**\\n * %s\\n */\\nint v%s;\\n\\n' $i $i; done >a.h",
            "{ head -5 a.h; printf '/**\\n * new\\n */\\nint n;\\n\\n'; tail -n +6 a.h; } >b;"
            "mv b a.h");
    }
    TEST("thousands of files") {
        check_session(
            "for i in $(seq 3000); do echo $i >f$i; done",
            "for i in $(seq 1 99 3000); do echo x >>f$i; done; rm f77*; for i in $(seq 2500);"
            "do echo $i >u$i; done; rm u1* u2*");
    }
}

int main(void)
{
    diff_fixture_init(&fixture);
    test_renames();
    test_many();
    diff_buffers_free();
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
