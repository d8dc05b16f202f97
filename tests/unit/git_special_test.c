/* Repositories that are not like the others: what a clone of ours makes of them, and that git can go on
 * with it. docs/git.md says the same in words. */
#include "git/clone.h"
#include "git/library.h"
#include "git/push.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;
static struct err last;

/* Clones branch main of acme/<name>. */
static int clone(const char *name)
{
    struct branch_choice branch = {.wanted = "main"};
    static char url[256];

    snprintf(url, sizeof url, "https://localhost:%d/acme/%s.git", fixture.port, name);
    fixture.access.url = url;
    git_shell(&fixture, "rm -rf workspace/app");
    err_clear(&last);
    return clone_repository(&fixture.access, fixture.checkout, &branch, &last);
}

/* Makes acme/<name> of what the commands leave in an empty checkout. */
static void make(const char *name, const char *init_option, const char *commands)
{
    CHECK_INT(git_shell(&fixture,
                        "git init -q -b main %s %s-source; cd %s-source; %s; git add -A;"
                        "git commit -qm first; git clone -q --bare . ../repositories/acme/%s.git;"
                        "git -C ../repositories/acme/%s.git config http.receivepack true",
                        init_option, name, name, commands, name, name),
              0);
}

static const char *shown(const char *commands)
{
    return git_output(&fixture, "cd workspace/app; %s 2>&1", commands);
}

static void test_submodules(void)
{
    TEST("submodules are empty directories, as by git clone, and git fetches them when it is asked "
         "to") {
        make("part", "", "echo part >part.txt");
        make("whole", "",
             "echo whole >whole.txt; git -c protocol.file.allow=always submodule --quiet add "
             "../part-source lib; git config -f .gitmodules submodule.lib.url ../part.git");
        CHECK_INT(clone("whole"), 0);
        CHECK_STR(shown("ls -A lib; git status --porcelain"), "");
        CHECK_STR(shown("git submodule status | cut -c1,43-"), "-lib");
        CHECK_INT(
            git_shell(&fixture,
                      "cd workspace/app; git -c http.sslCAInfo=%s -c credential.helper='!f() {"
                      " echo username=x; echo password=%s; }; f' submodule --quiet update "
                      "--init",
                      fixture.authority, TEST_TOKEN),
            0);
        CHECK_STR(shown("cat lib/part.txt; git status --porcelain"), "part");
    }
}

static void test_lfs(void)
{
    TEST("files of git-lfs are pointers, and the checkout is clean") {
        make("lfs", "",
             "echo '*.bin filter=lfs diff=lfs merge=lfs -text' >.gitattributes;"
             "printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%064d\\nsize 7\\n' 1 "
             ">large.bin");
        CHECK_INT(clone("lfs"), 0);
        CHECK_STR(shown("head -1 large.bin; git status --porcelain"),
                  "version https://git-lfs.github.com/spec/v1");
    }
}

static void test_encodings(void)
{
    TEST(
        "files with a working-tree-encoding stay UTF-8; git writes them anew when it is asked to") {
        make("encoding", "",
             "echo '*.txt working-tree-encoding=UTF-16LE' >.gitattributes;"
             "printf 'a\\0b\\0\\n\\0' >wide.txt");
        CHECK_INT(clone("encoding"), 0);
        CHECK_STR(shown("cat wide.txt"), "ab");
        CHECK_STR(shown("touch wide.txt; git status --porcelain"),
                  "error: failed to encode 'wide.txt' from UTF-16LE to UTF-8");
        CHECK_STR(shown("rm wide.txt; git checkout -q wide.txt; od -An -c wide.txt | tr -d ' \\n'"),
                  "a\\0b\\0\\n\\0");
        CHECK_STR(shown("git status --porcelain"), "");
    }
}

/* The text of a clone's failure. In a process of its own, for libgit2 1.9 forgets to free 80 bytes
 * after it. */
static const char *clone_failure(const char *name)
{
    static char text[ERR_TEXT_MAX];
    int ends[2];
    ssize_t got;
    pid_t child;

    if (pipe(ends) != 0)
        abort();
    child = fork();
    if (child == 0) {
        clone(name);
        _exit(write(ends[1], last.text, strlen(last.text)) < 0);
    }
    close(ends[1]);
    got = read(ends[0], text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    waitpid(child, NULL, 0);
    return text;
}

static void test_sha256(void)
{
    TEST("a repository of SHA-256 objects is refused with a text that says so") {
        make("sha256", "--object-format=sha256", "echo x >file");
        CHECK_STR(clone_failure("sha256"), "unknown remote object format 'sha256'");
        CHECK_STR(git_output(&fixture, "ls -A workspace"), "");
    }
}

static void test_huge_files(void)
{
    struct push_outcome outcome;

    TEST("a file of 30 MB is cloned byte by byte and pushed again") {
        make("huge", "", "head -c 30000000 /dev/zero | tr '\\0' x >huge; echo end >>huge");
        fixture.access.limits.stall_ms = 60000; /* a busy server takes its time for a large pack */
        CHECK_INT(clone("huge"), 0);
        CHECK_STR(shown("cmp huge ../../huge-source/huge; git status --porcelain"), "");
        git_shell(&fixture, "cd workspace/app; echo more >>huge; git commit -qam more");
        CHECK_INT(push_reference(&fixture.access, fixture.checkout, "HEAD:refs/heads/more", false,
                                 &outcome, &last),
                  0);
        push_outcome_free(&outcome);
        CHECK_STR(git_output(&fixture, "git -C repositories/acme/huge.git cat-file -s more:huge"),
                  "30000009");
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_submodules();
    test_lfs();
    test_encodings();
    test_sha256();
    test_huge_files();
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
