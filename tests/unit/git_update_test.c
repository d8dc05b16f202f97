/* What happens to a checkout that is there: fetch, checkout, rebase, questions. */

#include "git/checkout.h"
#include "git/clone.h"
#include "git/fetch.h"
#include "git/library.h"
#include "git/rebase.h"
#include "git/repository.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

static struct git_fixture fixture;

/* A fresh clone of main, and a new commit at the remote that changes `file`. */
static void start_over(void)
{
    struct branch_choice branch = {.wanted = "main"};
    struct err err = {0};

    git_shell(&fixture, "rm -rf workspace/app");
    if (clone_repository(&fixture.access, fixture.checkout, &branch, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    git_shell(&fixture, "cd source; git checkout -q main; echo theirs $(date +%%s%%N) >file;"
                        "git commit -qam theirs; git push -q origin main");
}

static int fetch_main(struct err *err)
{
    struct branch_choice branch = {.wanted = "main"};

    err_clear(err);
    return fetch_branch(&fixture.access, fixture.checkout, &branch, err);
}

static int in_checkout(const char *commands)
{
    return git_shell(&fixture, "cd workspace/app; %s", commands);
}

static const char *shown(const char *commands)
{
    return git_output(&fixture, "cd workspace/app; %s", commands);
}

static void test_fetch(void)
{
    struct err err;

    start_over();
    TEST("fetch moves origin/<branch> and touches nothing else (S-195)") {
        in_checkout("echo changed >>docs/1.md; echo new >untracked; git checkout -qb session");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_STR(shown("git rev-list --count session..origin/main"), "1");
        CHECK_STR(shown("git status --porcelain"), " M docs/1.md\n?? untracked");
        CHECK_STR(shown("git symbolic-ref --short HEAD"), "session");
        CHECK_STR(shown("git fsck 2>&1"), "");
    }
    TEST("fetch follows a branch that was pushed with force") {
        git_shell(&fixture, "cd source; git commit -q --amend -m other; git push -qf origin main");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_STR(shown("git log -1 --format=%s origin/main"), "other");
    }
    TEST("a checkout without origin is an error") {
        in_checkout("git remote remove origin");
        CHECK_INT(fetch_main(&err), -1);
        CHECK(strstr(err.text, "origin") != NULL);
        CHECK_INT(repository_set_origin(fixture.checkout, fixture.url, &err), -1);
    }
}

static void test_checkout(void)
{
    struct err err;

    start_over();
    TEST("checkout moves the branch, and changes that are not in the way survive (S-196)") {
        in_checkout("echo changed >>docs/1.md; echo new >untracked");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(checkout_branch(&fixture.access, fixture.checkout, "main", &err), 0);
        CHECK_STR(shown("git rev-list --count HEAD..origin/main; git status --porcelain"),
                  "0\n M docs/1.md\n?? untracked");
    }
    TEST("checkout leaves another branch and comes back to the base branch") {
        in_checkout("git stash -q; git checkout -qb session; git commit -q --allow-empty -m s");
        CHECK_INT(checkout_branch(&fixture.access, fixture.checkout, "main", &err), 0);
        CHECK_STR(shown("git status -sb | head -1; git rev-parse --verify -q session >/dev/null && "
                        "echo kept"),
                  "## main...origin/main\nkept");
    }
    start_over();
    TEST("a change in the way makes checkout fail, names the file, and nothing is changed") {
        in_checkout("echo mine >file");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(checkout_branch(&fixture.access, fixture.checkout, "main", &err), -1);
        CHECK(strstr(err.text, "would overwrite local changes in file ") != NULL);
        CHECK_STR(shown("cat file; git rev-list --count HEAD..origin/main"), "mine\n1");
    }
}

static bool has_work(const char *commands)
{
    const char *why = NULL;
    struct err err = {0};
    bool has = false;

    in_checkout("git checkout -qf main; git reset -q --hard origin/main; git clean -qfd");
    in_checkout(commands);
    CHECK_INT(repository_has_session_work(fixture.checkout, "main", &has, &why, &err), 0);
    CHECK_STR(err.text, "");
    return has;
}

static void test_questions(void)
{
    char sha[REPOSITORY_SHA_SIZE], branch[BRANCH_NAME_MAX];
    size_t behind = 0;
    struct err err;

    start_over();
    TEST("work of a session is another branch, a change, a new file, or a commit (S-202)") {
        CHECK(!has_work("true"));
        CHECK(!has_work("echo ignored >.git/info/exclude; echo x >ignored"));
        CHECK(has_work("git checkout -qb session"));
        CHECK(has_work("git checkout -q --detach"));
        CHECK(has_work("echo x >>file"));
        CHECK(has_work("echo x >new"));
        CHECK(has_work("git commit -q --allow-empty -m mine"));
        CHECK(!has_work("git reset -q --hard HEAD~1"));
    }
    TEST("HEAD and the distance to origin are what git says") {
        in_checkout("git checkout -qf main; git reset -q --hard origin/main");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(repository_head(fixture.checkout, sha, &err), 0);
        CHECK_STR(sha, shown("git rev-parse HEAD"));
        CHECK_INT(repository_count_behind(fixture.checkout, branch, sizeof branch, &behind, &err),
                  0);
        CHECK_STR(branch, "main");
        CHECK_INT(behind, 1);
        in_checkout("git checkout -qb unpushed");
        CHECK_INT(repository_count_behind(fixture.checkout, branch, sizeof branch, &behind, &err),
                  -1);
        CHECK_STR(branch, "unpushed");
    }
    TEST("the identity and the URL of origin go into .git/config") {
        CHECK_INT(repository_set_identity(fixture.checkout, "Grace", "grace@example.com", &err), 0);
        CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &err), 0);
        CHECK_STR(shown("git config --local user.name; git config --local user.email;"
                        "git config remote.origin.url"),
                  "Grace\ngrace@example.com\nhttps://h/x.git");
    }
    TEST("a token in origin's push URL goes, a push URL without one stays (S-7, S-461)") {
        in_checkout("git config --add remote.origin.pushurl https://h/mine.git");
        CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &err), 0);
        CHECK_STR(shown("git remote get-url --push origin"), "https://h/mine.git");
        in_checkout("git config --add remote.origin.pushurl https://u:secret@h/mine.git");
        CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &err), 0);
        CHECK_STR(shown("git remote get-url --push origin; grep -r secret .git"),
                  "https://h/x.git");
        in_checkout("git config --add remote.origin.pushurl https://u:secret@h/mine.git");
        in_checkout("git config --add remote.origin.pushurl https://h/mine.git");
        CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &err), 0);
        CHECK_STR(shown("grep -r secret .git || echo gone"), "gone");
        in_checkout("git config --add remote.origin.pushurl ssh://git@h/mine.git");
        CHECK_INT(repository_set_origin(fixture.checkout, "https://h/x.git", &err), 0);
        CHECK_STR(shown("git remote get-url --push origin"), "ssh://git@h/mine.git");
    }
    TEST("a directory that is no checkout is an error that names it") {
        CHECK_INT(repository_head(fixture.root, sha, &err), -1);
        CHECK_INT(err.class, ERR_NOT_FOUND);
        CHECK(strstr(err.text, "is no git checkout") != NULL);
    }
    TEST("a checkout of another user is fine") {
        if (geteuid() == 0)
            in_checkout("chown -R 12345:12345 .");
        CHECK_INT(repository_head(fixture.checkout, sha, &err), 0);
    }
}

static void test_rebase(void)
{
    enum rebase_outcome outcome;
    struct err err = {0};

    start_over();
    TEST("a checkout that has everything stays, one that is behind is fast-forwarded (S-212)") {
        CHECK_INT(rebase_onto_origin(fixture.checkout, "main", &outcome, &err), 0);
        CHECK_INT(outcome, REBASE_UP_TO_DATE);
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(rebase_onto_origin(fixture.checkout, "main", &outcome, &err), 0);
        CHECK_INT(outcome, REBASE_FAST_FORWARDED);
        CHECK_STR(shown("git status -sb"), "## main...origin/main");
    }
    start_over();
    TEST("own commits are put on top of origin's") {
        in_checkout("echo mine >mine; git add mine; git commit -qm mine");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(rebase_onto_origin(fixture.checkout, "main", &outcome, &err), 0);
        CHECK_INT(outcome, REBASE_REBASED);
        CHECK_STR(shown("git status -sb; git log -2 --format=%s; git fsck 2>&1"),
                  "## main...origin/main [ahead 1]\nmine\ntheirs");
    }
    start_over();
    TEST("a conflict is an error and everything is as before (S-210)") {
        in_checkout("echo mine >file; git commit -qam mine");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(rebase_onto_origin(fixture.checkout, "main", &outcome, &err), -1);
        CHECK_STR(err.text, "rebase: conflict in file; it was given up, all is as before");
        CHECK_STR(shown("git status -sb; cat file; ls -d .git/rebase-* 2>&1 | grep -c '^.git'"),
                  "## main...origin/main [ahead 1, behind 1]\nmine\n0");
    }
    start_over();
    TEST("an uncommitted change is an error and stays") {
        in_checkout("git commit -q --allow-empty -m mine; echo mine >file");
        CHECK_INT(fetch_main(&err), 0);
        CHECK_INT(rebase_onto_origin(fixture.checkout, "main", &outcome, &err), -1);
        CHECK_STR(shown("git status --porcelain; cat file"), " M file\nmine");
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_fetch();
    test_checkout();
    test_questions();
    test_rebase();
    library_stop();
    git_fixture_end(&fixture);
    return check_done();
}
