/* A boot on a disk that an image build or an earlier boot left (S-90, S-202, SD-3). */
#include "git/repository.h"
#include "tests/unit/git_sync_run.h"

static cJSON *image_input(const char *sandbox_id)
{
    cJSON *object = input("sync", "main");

    json_add_bool(object, "keep_session_work", true);
    json_add_bool(object, "of_image", true);
    json_add_string(object, "sandbox_id", sandbox_id);
    return object;
}

/* Boots from an image whose checkout these commands changed, while origin went on. */
static bool is_kept(const char *sandbox_id, const char *commands)
{
    git_shell(&fixture, "cd workspace/app; git checkout -qf main;"
                        "git reset -q --hard origin/main; git clean -qfd");
    git_shell(&fixture, "cd workspace/app; %s", commands);
    new_commit();
    CHECK_STR(work(image_input(sandbox_id)), "ok");
    return json_get_bool(run.result, "kept", false);
}

static void test_reentry(void)
{
    git_shell(&fixture, "rm -rf workspace/app");
    TEST("a checkout bears the id of the sandbox that booted with it, which git does not see") {
        CHECK_STR(work(image_input("sandbox-1")), "ok");
        CHECK_STR(shown("cat .git/oi-session; echo; git status -sb"),
                  "{\"sandbox_id\":\"sandbox-1\"}\n## main...origin/main");
    }
    TEST("an image's changed files do not hold its first boot up") {
        CHECK(!is_kept("sandbox-2", "echo built >made-by-setup; echo more >>docs/1.md"));
        CHECK_STR(
            shown("git rev-list --count HEAD..origin/main; git status -s; cat .git/oi-session"),
            "0\n M docs/1.md\n?? made-by-setup\n{\"sandbox_id\":\"sandbox-2\"}");
    }
    TEST("nor does an image of another branch without commits of its own") {
        CHECK(!is_kept("sandbox-3", "git checkout -qb of-the-image"));
        CHECK_STR(shown("git status -sb"), "## main...origin/main");
    }
    TEST("commits that origin lacks are kept in an image's checkout, on either branch") {
        CHECK(is_kept("sandbox-4", "git commit -q --allow-empty -m mine"));
        CHECK_STR(worker_run_events(&run), "git.update_skip");
        CHECK_STR(shown("git log -1 --format=%s; git rev-list --count HEAD..origin/main"),
                  "mine\n1");
        CHECK(
            is_kept("sandbox-5", "git checkout -qB session; git commit -q --allow-empty -m mine"));
        CHECK_STR(shown("git symbolic-ref --short HEAD"), "session");
        CHECK(is_kept("sandbox-6", "git commit -q --allow-empty -m mine; git checkout -q session"));
        CHECK_STR(shown("git log -1 --format=%s main"), "mine");
    }
    TEST("booted again in the same sandbox, another branch and changed files are a session's too") {
        CHECK(!is_kept("sandbox-7", "git branch -D -q session"));
        CHECK(is_kept("sandbox-7", "echo mine >>docs/1.md"));
        CHECK_STR(shown("git status -s; git rev-list --count HEAD..origin/main"),
                  " M docs/1.md\n1");
        CHECK(is_kept("sandbox-7", "git checkout -qB session"));
        CHECK(!is_kept("sandbox-7", "true"));
    }
    TEST("a sync that fails leaves the mark too, for the session goes on with the image's files") {
        cJSON *object = image_input("sandbox-8");

        json_put(object, "password", cJSON_CreateString("wrong"));
        CHECK_STR(work(object), "auth");
        CHECK_STR(shown("cat .git/oi-session"), "{\"sandbox_id\":\"sandbox-8\"}");
    }
}

/* As a control plane starts a session: it names no baseline until it knows one. */
static const char *base_of(const char *session_id, const char *given)
{
    cJSON *object = image_input("sandbox-9");

    json_add_string(object, "session_id", session_id);
    json_add_string(object, "base_sha", given);
    CHECK_STR(work(object), "ok");
    return json_get_string(run.result, "base_sha");
}

static bool begins_at_head(const char *session_id)
{
    const char *base = base_of(session_id, NULL);

    return base && strcmp(base, shown("git rev-parse HEAD")) == 0;
}

static void test_baseline(void)
{
    static const char given[] = "0123456789abcdef0123456789abcdef01234567";
    char first[REPOSITORY_SHA_SIZE];

    git_shell(&fixture, "rm -rf workspace/app");
    TEST("a session's baseline is the HEAD of its first boot (S-218)") {
        snprintf(first, sizeof first, "%s", base_of("session-1", NULL));
        CHECK_STR(first, shown("git rev-parse HEAD"));
    }
    TEST(
        "and stays that, whatever was committed since, or came from origin: it is what the control "
        "plane pinned") {
        git_shell(&fixture, "cd workspace/app; git commit -q --allow-empty -m mine");
        CHECK_STR(base_of("session-1", NULL), first);
        CHECK(json_get_bool(run.result, "kept", false));
        git_shell(&fixture, "cd workspace/app; git reset -q --hard %s", first);
        new_commit();
        CHECK_STR(base_of("session-1", NULL), first);
        CHECK_STR(json_get_string(run.result, "head_sha"), shown("git rev-parse origin/main"));
    }
    TEST("also after a boot whose sync failed") {
        cJSON *object = image_input("sandbox-9");

        json_add_string(object, "session_id", "session-1");
        json_put(object, "password", cJSON_CreateString("wrong"));
        CHECK_STR(work(object), "auth");
        CHECK_STR(json_get_string(run.result, "base_sha"), first);
        CHECK_STR(base_of("session-1", NULL), first);
    }
    TEST("one that the control plane names wins, and is what the next boot knows (S-217)") {
        CHECK_STR(base_of("session-1", given), given);
        CHECK_STR(base_of("session-1", NULL), given);
    }
    TEST("another session on the same disk begins at its own HEAD, and so does one whose note was "
         "damaged") {
        CHECK(begins_at_head("session-2"));
        git_shell(&fixture, "echo '{\"session_id\":\"session-2\",\"base_sha\":\"--output=x\"}' "
                            ">workspace/app/.git/oi-session");
        CHECK(begins_at_head("session-2"));
        git_shell(&fixture, "echo half >workspace/app/.git/oi-session");
        CHECK(begins_at_head("session-2"));
    }
    TEST("a checkout whose .git is a file has its note too, where git keeps it") {
        git_shell(&fixture, "mv workspace/app/.git elsewhere; git init -q "
                            "--separate-git-dir=elsewhere workspace/app");
        CHECK(begins_at_head("session-3"));
        CHECK_STR(worker_run_events(&run), "");
        CHECK_INT(git_shell(&fixture, "test -f workspace/app/.git; grep session-3 "
                                      "elsewhere/oi-session"),
                  0);
    }
}

/* `git push -f` of a history without what is on main now. */
static void rewrite_main(void)
{
    git_shell(&fixture, "cd source; git checkout -q main; echo $(date +%%s%%N) >file;"
                        "git commit -q --amend -am rewritten; git push -qf origin main");
}

static void test_forced_push(void)
{
    git_shell(&fixture, "rm -rf workspace/app elsewhere");
    CHECK_STR(work(image_input("builder")), "ok");
    TEST("an image's commits that a push -f took off origin are no session's work") {
        new_commit();
        CHECK_STR(work(image_input("builder")), "ok");
        rewrite_main();
        CHECK_STR(work(image_input("sandbox-10")), "ok");
        CHECK_STR(worker_run_events(&run), "");
        CHECK(!json_get_bool(run.result, "kept", true));
        CHECK_STR(shown("git status -sb; git log -1 --format=%s"),
                  "## main...origin/main\nrewritten");
    }
    TEST("a commit on top of them is, and is kept with all below it") {
        git_shell(&fixture, "cd workspace/app; git commit -q --allow-empty -m mine");
        rewrite_main();
        CHECK_STR(work(image_input("sandbox-11")), "ok");
        CHECK(json_get_bool(run.result, "kept", false));
        CHECK_STR(shown("git log -1 --format=%s"), "mine");
    }
    TEST(
        "in a sandbox that a session runs in they stay, for they may be all that is left of them") {
        git_shell(&fixture, "cd workspace/app; git reset -q --hard origin/main");
        CHECK_STR(work(image_input("sandbox-12")), "ok");
        rewrite_main();
        CHECK_STR(work(image_input("sandbox-12")), "ok");
        CHECK(json_get_bool(run.result, "kept", false));
        CHECK_STR(shown("git rev-list --count HEAD..origin/main"), "1");
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_reentry();
    test_baseline();
    test_forced_push();
    worker_run_free(&run);
    git_fixture_end(&fixture);
    return check_done();
}
