#include "tests/unit/git_sync_run.h"

#include <fcntl.h>
#include <signal.h>

static void test_sync(void)
{
    TEST("sync clones what is absent and tells it in the contract's events") {
        CHECK_STR(work(input("sync", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.clone_start git.clone_complete");
        CHECK(json_get_bool(run.result, "cloned", false));
        CHECK_STR(json_get_string(run.result, "branch"), "main");
        CHECK_STR(json_get_string(run.result, "head_sha"), shown("git rev-parse HEAD"));
    }
    TEST("a clone talks to the server once: no fetch after it (S-201)") {
        int before = atoi(git_server_tell(&fixture, "requests"));

        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(input("sync", "main")), "ok");
        /* Refused without credentials, references, shallow boundary and pack. */
        CHECK_INT(atoi(git_server_tell(&fixture, "requests")) - before, 3);
    }
    TEST("sync of an existing checkout repairs origin, fetches and checks out") {
        new_commit();
        git_shell(&fixture, "git -C workspace/app remote set-url origin https://x:y@old/x.git");
        CHECK_STR(work(input("sync", "main")), "ok");
        CHECK(!json_get_bool(run.result, "cloned", true));
        CHECK_STR(shown("git status -sb"), "## main...origin/main");
        CHECK_STR(shown("git config remote.origin.url"), fixture.url);
    }
    TEST("sync fails on a change in the way, and HEAD is told all the same (S-218)") {
        new_commit();
        git_shell(&fixture, "echo mine >workspace/app/file");
        CHECK_STR(work(input("sync", "main")), "protocol");
        CHECK_STR(json_get_string(run.result, "event"), "git.checkout_error");
        CHECK_STR(json_get_string(run.result, "target_branch"), "main"); /* S-489 */
        CHECK_STR(json_get_string(run.result, "head_sha"), shown("git rev-parse HEAD"));
    }
    TEST("with keep_session_work the same checkout is only fetched (S-202)") {
        cJSON *object = input("sync", "main");

        json_add_bool(object, "keep_session_work", true);
        CHECK_STR(work(object), "ok");
        CHECK(json_get_bool(run.result, "kept", false));
        CHECK_STR(shown("cat file; git rev-list --count HEAD..origin/main"), "mine\n1");
    }
    TEST("refresh leaves everything but origin's branch as it is (S-195)") {
        new_commit();
        CHECK_STR(work(input("refresh", "main")), "ok");
        CHECK_STR(shown("cat file; git rev-list --count HEAD..origin/main"), "mine\n2");
    }
    TEST("refresh tells how far behind its branch HEAD is") {
        CHECK_STR(worker_run_events(&run), "git.snapshot_status");
        CHECK(strstr(buf_text(&run.output), "\"current_branch\":\"main\",\"commits_behind\":2"));
        git_shell(&fixture, "git -C workspace/app checkout -q -b session");
        CHECK_STR(work(input("refresh", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.snapshot_status_unknown");
        git_shell(&fixture, "git -C workspace/app checkout -q main");
    }
}

/* kill -9 of the worker once a file of that name is there. */
static void kill_in_the_middle(cJSON *object, const char *file)
{
    char *text = json_to_string(object);
    int input_fds[2];
    pid_t child;

    cJSON_Delete(object);
    CHECK_INT(pipe(input_fds), 0);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        dup2(input_fds[0], 0);
        close(input_fds[1]);
        dup2(open("/dev/null", O_WRONLY), 1);
        _exit(git_sync_worker_main());
    }
    close(input_fds[0]);
    file_write_all(input_fds[1], text, strlen(text));
    close(input_fds[1]);
    free(text);
    CHECK_INT(git_shell(&fixture,
                        "for i in $(seq 300); do ls %s && exit 0; sleep 0.1; done; exit 1", file),
              0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void test_leftovers(void)
{
    TEST("a lock that a killed git left does not stop a sync, and a refresh leaves it (S-195)") {
        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(input("sync", "main")), "ok");
        new_commit();
        git_shell(&fixture,
                  "cd workspace/app/.git; touch index.lock HEAD.lock refs/heads/main.lock");
        CHECK_STR(work(input("refresh", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.stale_lock git.snapshot_status");
        CHECK(strstr(buf_text(&run.output),
                     "\"files\":\"index.lock HEAD.lock refs/heads/main.lock\""));
        CHECK_STR(shown("cd .git; ls *.lock refs/heads"),
                  "HEAD.lock\nindex.lock\n\nrefs/heads:\nmain\nmain.lock");
        git_shell(&fixture, "touch workspace/app/.git/refs/remotes/origin/main.lock");
        CHECK_STR(work(input("sync", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.stale_lock_removed");
        CHECK_STR(shown("git status -sb; find .git -name '*.lock'"), "## main...origin/main");
    }
    TEST("a clone that was killed in the middle is none, and the next boot makes a whole one "
         "(S-203)") {
        git_shell(&fixture, "rm -rf workspace/app; cd source; git checkout -q -b large main;"
                            "head -c 3000000 /dev/urandom >large; git add large;"
                            "git commit -qm large; git push -q origin large");
        git_server_tell(&fixture, "stall=pack");
        kill_in_the_middle(input("sync", "large"), "workspace/.app.oi-clone/.git/objects/pack/*");
        git_server_tell(&fixture, "stall=null");
        CHECK_STR(git_output(&fixture, "ls workspace"), "");
        CHECK_STR(work(input("sync", "large")), "ok");
        CHECK(json_get_bool(run.result, "cloned", false));
        CHECK_STR(git_output(&fixture, "ls -A workspace"), "app");
        CHECK_STR(
            shown("git status -sb; git fsck --no-dangling 2>&1; cmp large ../../source/large"),
            "## large...origin/large");
        git_shell(&fixture, "git -C source checkout -q main");
    }
    TEST("what a killed git clone left in the checkout's place becomes a whole checkout") {
        git_shell(&fixture, "rm -rf workspace/app; git init -q -b main workspace/app;"
                            "git -C workspace/app remote add origin https://old/;"
                            "echo half >workspace/app/.git/objects/pack/tmp_pack_x");
        for (int again = 0; again < 2; again++) {
            cJSON *object = input("sync", "main");

            json_add_bool(object, "keep_session_work", true);
            CHECK_STR(work(object), "ok");
            CHECK_STR(json_get_string(run.result, "error"), NULL);
            CHECK_STR(shown("git status -sb; cat file"),
                      git_output(&fixture, "echo '## main...origin/main'; cat source/file"));
        }
    }
}

static void test_files_as_they_are_stored(void)
{
    TEST("files that git-lfs keeps elsewhere are a warning") {
        git_shell(&fixture, "cd source; git checkout -q -b lfs main; echo '*.bin filter=lfs "
                            "diff=lfs merge=lfs -text' >.gitattributes; git add .gitattributes;"
                            "git commit -qm lfs; git push -q origin lfs; rm -rf ../workspace/app");
        CHECK_STR(work(input("sync", "lfs")), "ok");
        CHECK_STR(worker_run_events(&run),
                  "git.clone_start git.clone_complete git.lfs_not_fetched");
    }
    TEST("so are files that should have another encoding than UTF-8") {
        git_shell(&fixture,
                  "cd source; git checkout -q -b wide main; echo '*.wide "
                  "working-tree-encoding=UTF-16' >.gitattributes; git add .gitattributes;"
                  "git commit -qm wide; git push -q origin wide; rm -rf ../workspace/app");
        CHECK_STR(work(input("sync", "wide")), "ok");
        CHECK_STR(worker_run_events(&run),
                  "git.clone_start git.clone_complete git.encoding_not_applied");
    }
}

static void test_failures(void)
{
    TEST("a branch that nobody chose falls back and says so (S-205); a chosen one fails") {
        cJSON *object = input("sync", "master");

        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(input("sync", "master")), "not_found");
        CHECK_STR(json_get_string(run.result, "operation"), "clone");
        CHECK_STR(json_get_string(run.result, "event"), "git.clone_error");
        CHECK_STR(
            json_get_string(run.result, "error"),
            "clone acme/app: the remote has no branch \"master\"; its default branch is trunk");
        json_add_bool(object, "branch_is_default", true);
        CHECK_STR(work(object), "ok");
        CHECK_STR(json_get_string(run.result, "branch"), "trunk");
        CHECK_STR(worker_run_events(&run), "git.clone_start git.default_branch git.clone_complete");
    }
    TEST("a server that goes silent during a fetch is git.fetch_timeout") {
        cJSON *object = input("refresh", "main");

        json_put(object, "limits", json_parse("{\"stall_s\":0.3,\"fetch_s\":7}", 27, NULL));
        git_server_tell(&fixture, "stall=answer");
        CHECK_STR(work(object), "timeout");
        git_server_tell(&fixture, "stall=null");
        CHECK_STR(json_get_string(run.result, "event"), "git.fetch_timeout");
        CHECK_INT(cJSON_GetObjectItem(run.result, "timeout_seconds")->valueint, 7);
    }
    TEST("a fetch that fails tells whether a session worked in the checkout (S-202)") {
        cJSON *clean = input("sync", "trunk"), *worked;

        json_add_bool(clean, "keep_session_work", true);
        worked = cJSON_Duplicate(clean, true);
        json_put(clean, "password", cJSON_CreateString("wrong"));
        CHECK_STR(work(clean), "auth");
        CHECK(!json_get_bool(run.result, "kept", true));
        git_shell(&fixture, "echo mine >workspace/app/new-file");
        json_put(worked, "password", cJSON_CreateString("wrong"));
        CHECK_STR(work(worked), "auth");
        CHECK(json_get_bool(run.result, "kept", false));
        CHECK_STR(shown("cat new-file; rm new-file"), "mine");
    }
    TEST("what nobody expected has no event here: the boot mode names it (S-197, S-512)") {
        git_shell(&fixture, "mv workspace/app moved; mkdir workspace/app; touch workspace/app/x");
        CHECK_STR(work(input("sync", "main")), "not_found");
        CHECK_STR(json_get_string(run.result, "operation"), "update");
        CHECK_STR(json_get_string(run.result, "event"), NULL);
        git_shell(&fixture, "rm -r workspace/app; mv moved workspace/app");
    }
    TEST("input that is none is an error that does not repeat it") {
        worker_run_free(&run);
        worker_run_text(git_sync_worker_main, "{\"password\":\"" TEST_TOKEN "\"", &run);
        CHECK_STR(json_get_string(run.result, "error_class"), "protocol");
        CHECK(strstr(buf_text(&run.output), TEST_TOKEN) == NULL);
        CHECK_STR(work(cJSON_CreateObject()), "config");
        CHECK_STR(work(input("dance", "main")), "config");
    }
}

/* legacy-sync or legacy-quick-fetch with who commits; a wrong password makes the fetch fail. */
static cJSON *identity_input(const char *action, const char *name, const char *password)
{
    cJSON *object = input(action, NULL), *identity = cJSON_CreateObject();

    json_add_string(identity, "name", name);
    json_add_string(identity, "email", "grace@example.com");
    json_put(object, "identity", identity);
    if (password)
        json_put(object, "password", cJSON_CreateString(password));
    return object;
}

static void test_legacy(void)
{
    TEST("legacy-sync clones the remote's HEAD branch and sets the identity (S-212, S-214)") {
        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(identity_input("legacy-sync", "Grace", NULL)), "ok");
        CHECK_STR(shown("git symbolic-ref --short HEAD; git config --local user.name"),
                  "trunk\nGrace");
        CHECK_STR(worker_run_events(&run),
                  "git.clone_start git.clone_complete git.sync_complete git.identity_configured");
    }
    TEST("an unborn HEAD is told, and no failure (S-491)") {
        git_shell(&fixture, "git -C workspace/app symbolic-ref HEAD refs/heads/unborn");
        CHECK_STR(work(input("legacy-quick-fetch", "main")), "ok");
        CHECK(strstr(worker_run_events(&run), "git.rev_parse_error") != NULL);
        git_shell(&fixture, "git -C workspace/app symbolic-ref HEAD refs/heads/trunk");
    }
    TEST("a sync that failed sets the identity too where there is a checkout, for the session goes "
         "on (S-214)") {
        CHECK_STR(work(identity_input("legacy-sync", "Ada", "wrong")), "auth");
        CHECK_STR(worker_run_events(&run), "git.identity_configured");
        CHECK_STR(shown("git config --local user.name"), "Ada");
        git_shell(&fixture, "mv workspace/app moved");
        CHECK_STR(work(identity_input("legacy-sync", "Ada", "wrong")), "auth");
        CHECK_STR(worker_run_events(&run), "git.clone_start");
        git_shell(&fixture, "mv moved workspace/app");
    }
    TEST("an identity that cannot be written is told, and the sync goes on (S-512)") {
        git_shell(&fixture, "cd workspace/app/.git; mv config kept; ln -s kept/none config");
        CHECK_STR(work(identity_input("legacy-quick-fetch", "Eve", NULL)), "ok");
        CHECK_STR(worker_run_events(&run), "git.quick_fetch_error git.identity_error");
        CHECK(
            strstr(buf_text(&run.output), "\"level\":\"error\",\"event\":\"git.identity_error\""));
        git_shell(&fixture, "cd workspace/app/.git; mv kept config");
    }
    TEST("legacy-sync rebases own commits, and a conflict is a warning, not a failure (S-210)") {
        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(input("legacy-sync", "main")), "ok");
        new_commit();
        CHECK_STR(work(input("legacy-sync", "main")), "ok");
        CHECK_STR(shown("git rev-list --count HEAD..origin/main"), "0");
        new_commit();
        git_shell(&fixture, "cd workspace/app; echo mine >file; git commit -qam mine");
        CHECK_STR(work(input("legacy-sync", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.rebase_error git.sync_complete");
        CHECK_STR(shown("git status -sb; cat file"),
                  "## main...origin/main [ahead 1, behind 1]\nmine");
    }
    TEST("legacy-quick-fetch says how far behind HEAD is and never fails (S-213)") {
        CHECK_STR(work(input("legacy-quick-fetch", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.snapshot_status");
        git_server_tell(&fixture, "token=changed");
        CHECK_STR(work(input("legacy-quick-fetch", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.quick_fetch_error");
        git_shell(&fixture, "rm -rf workspace/app");
        CHECK_STR(work(input("legacy-quick-fetch", "main")), "ok");
        CHECK_STR(worker_run_events(&run), "git.quick_fetch_skip");
    }
}

int main(void)
{
    git_fixture_init(&fixture);
    test_sync();
    test_leftovers();
    test_files_as_they_are_stored();
    test_failures();
    test_legacy();
    worker_run_free(&run);
    git_fixture_end(&fixture);
    return check_done();
}
