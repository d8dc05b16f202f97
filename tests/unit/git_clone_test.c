#include "git/clone.h"

#include "common/file.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>

static bool phases_seen[GIT_PHASE_COUNT];

static void on_progress(void *user, const struct git_progress *progress)
{
    (void)user;
    phases_seen[progress->phase] = true;
}

static struct git_fixture fixture;

static int clone_to(const char *path, struct branch_choice *branch, struct err *err)
{
    err_clear(err);
    return clone_repository(&fixture.access, path, branch, err);
}

static int clone_branch(const char *branch, bool may_fall_back, struct branch_choice *choice,
                        struct err *err)
{
    git_shell(&fixture, "rm -rf workspace/app");
    *choice = (struct branch_choice){.wanted = branch, .may_fall_back = may_fall_back};
    return clone_to(fixture.checkout, choice, err);
}

static void test_result(void)
{
    struct branch_choice branch;
    struct err err;

    fixture.access.on_progress = on_progress;
    TEST("a clone is whole, clean and has the modes and links of the original") {
        CHECK_INT(clone_branch("main", false, &branch, &err), 0);
        CHECK_STR(err.text, "");
        CHECK_STR(branch.name, "main");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git fsck 2>&1"), "");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git status --porcelain"), "");
        CHECK_STR(git_output(&fixture, "diff -r --exclude=.git source workspace/app"), "");
        CHECK_STR(git_output(&fixture, "cd workspace/app; readlink link; test -x run.sh && echo x"),
                  "docs/1.md\nx");
    }
    TEST("a clone has one branch, 100 commits and no tags, and is on the branch") {
        CHECK_STR(git_output(&fixture, "cd workspace/app; git rev-list --count HEAD"), "100");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git for-each-ref --format='%%(refname)'"),
                  "refs/heads/main\nrefs/remotes/origin/main");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git symbolic-ref HEAD"),
                  "refs/heads/main");
        CHECK_STR(
            git_output(&fixture, "cd workspace/app; git rev-parse --abbrev-ref '@{upstream}'"),
            "origin/main");
        CHECK_STR(
            git_output(&fixture, "cd workspace/app; git config --get-all remote.origin.fetch"),
            "+refs/heads/main:refs/remotes/origin/main");
    }
    TEST("origin is the plain URL and the token is nowhere under .git") {
        CHECK_STR(git_output(&fixture, "git -C workspace/app config remote.origin.url"),
                  fixture.url);
        CHECK_STR(git_output(&fixture, "grep -r %s workspace", TEST_TOKEN), "");
    }
    TEST("progress is told for the connection, the objects and the files") {
        CHECK(phases_seen[GIT_PHASE_CONNECTING]);
        CHECK(phases_seen[GIT_PHASE_RECEIVING]);
        CHECK(phases_seen[GIT_PHASE_CHECKOUT]);
    }
    TEST("git itself can go on with the clone: fetch, deepen, commit") {
        CHECK_INT(
            git_shell(&fixture,
                      "cd workspace/app; git -c credential.helper= -c http.extraHeader=\"$("
                      "printf 'Authorization: Basic %%s' $(printf x-access-token:%s | base64))\""
                      " -c http.sslCAInfo=%s fetch --unshallow; git commit -q --allow-empty -m on;"
                      "test $(git rev-list --count HEAD) = 151",
                      TEST_TOKEN, fixture.authority),
            0);
    }
}

static void test_branches(void)
{
    struct branch_choice branch;
    struct err err;

    TEST("a branch with a slash in its name is cloned") {
        CHECK_INT(clone_branch("feature/x", false, &branch, &err), 0);
        CHECK_STR(git_output(&fixture, "git -C workspace/app symbolic-ref HEAD"),
                  "refs/heads/feature/x");
    }
    TEST("without a branch the remote's HEAD branch is taken, and origin/HEAD names it") {
        CHECK_INT(clone_branch(NULL, false, &branch, &err), 0);
        CHECK_STR(branch.name, "trunk");
        CHECK(!branch.fell_back);
        CHECK_STR(
            git_output(&fixture, "git -C workspace/app symbolic-ref refs/remotes/origin/HEAD"),
            "refs/remotes/origin/trunk");
    }
    TEST("a default branch that is not there gives the remote's HEAD branch (S-205)") {
        CHECK_INT(clone_branch("master", true, &branch, &err), 0);
        CHECK_STR(branch.name, "trunk");
        CHECK(branch.fell_back);
    }
    TEST("a chosen branch that is not there is an error that names both, and leaves nothing") {
        CHECK_INT(clone_branch("nope", false, &branch, &err), -1);
        CHECK_INT(err.class, ERR_NOT_FOUND);
        CHECK_STR(err.text, "the remote has no branch \"nope\"; its default branch is trunk");
        CHECK_STR(git_output(&fixture, "ls -A workspace"), "");
    }
    TEST("a repository without commits is an error that says so") {
        char url[128];

        snprintf(url, sizeof url, "https://localhost:%d/acme/empty.git", fixture.port);
        fixture.access.url = url;
        CHECK_INT(clone_branch("main", true, &branch, &err), -1);
        fixture.access.url = fixture.url;
        CHECK_INT(err.class, ERR_NOT_FOUND);
        CHECK(strstr(err.text, "empty") != NULL);
    }
}

static void test_places(void)
{
    struct branch_choice branch = {.wanted = "main"};
    struct err err;

    TEST("what a killed clone left is replaced (S-203)") {
        git_shell(&fixture, "mkdir -p workspace/.app.oi-clone/.git/objects; echo x "
                            ">workspace/.app.oi-clone/.git/index.lock");
        CHECK_INT(clone_branch("main", false, &branch, &err), 0);
        CHECK_STR(git_output(&fixture, "ls -A workspace"), "app");
    }
    TEST("an empty directory in the checkout's place is replaced, parents are made") {
        char path[160];

        git_shell(&fixture, "mkdir -p workspace/new/empty");
        snprintf(path, sizeof path, "%s/workspace/new/empty", fixture.root);
        CHECK_INT(clone_to(path, &branch, &err), 0);
        snprintf(path, sizeof path, "%s/workspace/a/b/c", fixture.root);
        CHECK_INT(clone_to(path, &branch, &err), 0);
        git_shell(&fixture, "rm -rf workspace/new workspace/a");
    }
    TEST("a directory with something in it is left alone") {
        git_shell(&fixture,
                  "rm -rf workspace/app; mkdir workspace/app; echo mine >workspace/app/x");
        CHECK_INT(clone_to(fixture.checkout, &branch, &err), -1);
        CHECK(strstr(err.text, "exists and is not empty") != NULL);
        CHECK_STR(git_output(&fixture, "ls -A workspace; cat workspace/app/x"), "app\nmine");
    }
}

/* A file system of our own that is too small; only root can make one. */
static void test_full_disk(void)
{
    struct branch_choice branch = {.wanted = "main"};
    char full[96], path[128];
    struct err err;

    snprintf(full, sizeof full, "%s/full", fixture.root);
    snprintf(path, sizeof path, "%s/app", full);
    mkdir(full, 0755);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", full, "tmpfs", 0, "size=48k") != 0) {
        printf("skipped - a full disk is an error that says so (needs root)\n");
        return;
    }
    TEST("a full disk is an error that says so") {
        CHECK_INT(clone_to(path, &branch, &err), -1);
        CHECK_INT(err.class, ERR_IO);
        CHECK(strstr(err.text, "the disk is full") != NULL);
        CHECK_STR(git_output(&fixture, "ls -A full"), "");
    }
    umount(full);
}

int main(void)
{
    git_fixture_init(&fixture);
    test_result();
    test_branches();
    test_places();
    test_full_disk();
    library_stop();
    TEST("the git server ends well") {
        CHECK_INT(git_fixture_end(&fixture), 0);
    }
    return check_done();
}
