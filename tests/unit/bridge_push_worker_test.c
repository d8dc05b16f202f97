#include "bridge/push_worker.h"

#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"
#include "tests/unit/worker_fixture.h"

static struct git_fixture fixture;
static struct worker_run run;

static const char *push_with(const char *user_part, const char *refspec, bool force, cJSON *limits)
{
    cJSON *object = cJSON_CreateObject();
    char url[256];

    json_put(object, "limits", limits);
    snprintf(url, sizeof url, "https://%s@localhost:%d/acme/app.git", user_part, fixture.port);
    json_add_string(object, "path", fixture.checkout);
    json_add_string(object, "remote_url", url);
    json_add_string(object, "refspec", refspec);
    json_add_bool(object, "force", force);
    return worker_run_outcome(push_worker_main, object, &run, "error");
}

/* Runs the worker; "ok", or the text of its failure. */
static const char *push(const char *user_part, const char *refspec, bool force)
{
    return push_with(user_part, refspec, force, NULL);
}

static const char *push_within(const char *user_part, const char *refspec, unsigned seconds)
{
    cJSON *limits = cJSON_CreateObject();

    json_add_number(limits, "total_s", seconds);
    return push_with(user_part, refspec, false, limits);
}

static void hook(const char *script)
{
    git_shell(&fixture,
              "cd repositories/acme/app.git/hooks; printf '#!/bin/sh\\n%s\\n' >pre-receive;"
              "chmod +x pre-receive",
              script);
}

static void client_hook(const char *script)
{
    git_shell(
        &fixture,
        "cd workspace/app/.git/hooks; printf '#!/bin/sh\\n%s\\n' >pre-push; chmod +x pre-push",
        script);
}

static const char *remote_has(const char *branch)
{
    return git_output(&fixture, "git -C repositories/acme/app.git branch --list --format=x %s",
                      branch);
}

static void test_git_program(void)
{
    static const char user[] = "x-access-token:" TEST_TOKEN;
    const char *error;

    TEST("a pre-push hook runs, with the refs on its input and no credentials in any argv") {
        client_hook("exec >$HOME/seen 2>&1; echo \"$@\"; cat; cat /proc/[0-9]*/cmdline; exit 0");
        CHECK_STR(push(user, "HEAD:refs/heads/hooked", false), "ok");
        CHECK(strstr(json_get_string(run.result, "git_for"), "pre-push"));
        CHECK_STR(remote_has("hooked"), "x");
        CHECK_STR(git_output(&fixture, "grep -c 'HEAD [0-9a-f]* refs/heads/hooked' home/seen"),
                  "1");
        CHECK_STR(git_output(&fixture, "grep -ac %s home/seen", TEST_TOKEN), "0");
        CHECK_STR(git_output(&fixture, "grep -r %s workspace home", TEST_TOKEN), "");
    }
    TEST("a hook that refuses stops the push, and its words arrive without colours") {
        client_hook("printf \"\\\\033[31mtests failed\\\\033[0m\\\\n\"; exit 1");
        error = push(user, "HEAD:refs/heads/refused", false);
        CHECK(strncmp(error, "tests failed\nerror: failed to push some refs to 'https://", 57) ==
              0);
        CHECK_STR(remote_has("refused"), "");
    }
    TEST("force, deletion and a refusal of the remote are as with libgit2") {
        client_hook("exit 0");
        git_shell(&fixture, "cd workspace/app; git commit -q --amend --allow-empty -m third");
        error = push(user, "HEAD:refs/heads/hooked", false);
        CHECK(strstr(error, "! [rejected]        HEAD -> hooked (non-fast-forward)"));
        CHECK(json_get_bool(run.result, "rejected", false));
        CHECK_STR(push(user, "HEAD:refs/heads/hooked", true), "ok");
        CHECK_STR(push(user, ":refs/heads/hooked", false), "ok");
        CHECK_STR(remote_has("hooked"), "");
    }
    TEST("wrong credentials are told, and the user's own helpers are not asked instead") {
        git_shell(&fixture, "git config --global credential.helper '!echo password=%s;:'",
                  TEST_TOKEN);
        error = push("x-access-token:wrong-token", "HEAD:refs/heads/hooked", false);
        CHECK(strstr(error, "Authentication failed"));
        CHECK_STR(remote_has("hooked"), "");
        git_shell(&fixture, "git config --global --unset credential.helper");
    }
}

static void test_troublesome_hooks(void)
{
    static const char user[] = "x-access-token:" TEST_TOKEN;
    const char *error;

    TEST("of a very talkative hook the end is told (D-52)") {
        client_hook("seq 20000; echo the reason; exit 1");
        error = push(user, "HEAD:refs/heads/refused", false);
        CHECK(strlen(error) <= 8 * 1024);
        CHECK(strstr(error, "20000\nthe reason\nerror: failed to push"));
    }
    TEST("something that a hook leaves in the background does not hold up the push") {
        client_hook("sleep 1000 & echo $! >$HOME/background");
        CHECK_STR(push(user, "HEAD:refs/heads/background", false), "ok");
        CHECK_INT(git_shell(&fixture, "kill $(cat home/background)"), 0);
    }
    TEST("a hook that takes too long is ended at the limit") {
        client_hook("echo $$ >$HOME/late; exec sleep 1000");
        error = push_within(user, "HEAD:refs/heads/late", 1);
        CHECK_STR(json_get_string(run.result, "error_class"), "timeout");
        CHECK(strstr(error, "did not end within 1 s"));
        CHECK_INT(git_shell(&fixture, "for i in $(seq 100); do kill -0 $(cat home/late) || exit 0;"
                                      "sleep 0.1; done; exit 1"),
                  0);
    }
    TEST("without git the hook is named, and nothing is pushed around it") {
        char *path = strdup(getenv("PATH"));

        setenv("PATH", fixture.root, 1);
        error = push(user, "HEAD:refs/heads/around", false);
        setenv("PATH", path, 1);
        free(path);
        CHECK(strstr(error, "needs the git program, for the hook"));
        CHECK(strstr(error, "pre-push: start git: it is not on PATH"));
        CHECK_STR(remote_has("around"), "");
    }
}

int main(void)
{
    static const char user[] = "x-access-token:" TEST_TOKEN;
    const char *error;

    git_fixture_init(&fixture);
    git_shell(&fixture, "git clone -q --depth 100 --branch main "
                        "file://$PWD/repositories/acme/app.git workspace/app;"
                        "cd workspace/app; git commit -q --allow-empty -m work");
    TEST("a push with the credentials in the URL works, and the commit is told") {
        CHECK_STR(push(user, "HEAD:refs/heads/session", false), "ok");
        CHECK_STR(json_get_string(run.result, "commit"),
                  git_output(&fixture, "git -C repositories/acme/app.git rev-parse session"));
        CHECK(!json_get_bool(run.result, "up_to_date", true));
        CHECK_STR(git_output(&fixture, "grep -r %s workspace", TEST_TOKEN), "");
    }
    TEST("an encoded password is decoded") {
        git_server_tell(&fixture, "token=a@b/c");
        CHECK_STR(push("x:a%40b%2Fc", "HEAD:refs/heads/encoded", false), "ok");
        git_server_tell(&fixture, "token=" TEST_TOKEN);
    }
    TEST("a refusal is told in git's words, force goes through") {
        git_shell(&fixture, "cd workspace/app; git commit -q --amend --allow-empty -m other");
        error = push(user, "HEAD:refs/heads/session", false);
        CHECK(strncmp(error, "! [rejected] HEAD -> session (non-fast-forward)", 47) == 0);
        CHECK(json_get_bool(run.result, "rejected", false));
        CHECK_STR(push(user, "HEAD:refs/heads/session", true), "ok");
    }
    TEST("a token that the remote repeats is taken out of its text") {
        hook("echo your token is " TEST_TOKEN "; exit 1");
        error = push(user, "HEAD:refs/heads/next", false);
        CHECK(strncmp(error, "remote: your token is ***\n", 26) == 0);
        git_shell(&fixture, "rm repositories/acme/app.git/hooks/pre-receive");
    }
    TEST("a remote whose hook is silent is waited for: only the whole limit counts (B-814)") {
        static const char stall[] = "{\"stall_s\":0.1,\"total_s\":60}"; /* of other workers */

        hook("sleep 1");
        CHECK_STR(push_with(user, "HEAD:refs/heads/silent", false,
                            json_parse(stall, sizeof stall - 1, NULL)),
                  "ok");
        CHECK_STR(remote_has("silent"), "x");
        git_shell(&fixture, "rm repositories/acme/app.git/hooks/pre-receive");
    }
    TEST("failures have a class and a text without prefix") {
        error = push("x-access-token:wrong-token", "HEAD:refs/heads/next", false);
        CHECK(strncmp(error, "the server rejected the credentials", 35) == 0);
        CHECK_STR(json_get_string(run.result, "error_class"), "auth");
        push(TEST_TOKEN, "HEAD:refs/heads/next", false);
        CHECK_STR(json_get_string(run.result, "error_class"), "auth");
    }
    TEST("input that is none is an error that does not repeat it") {
        worker_run_free(&run);
        worker_run_text(push_worker_main, "{\"remote_url\":\"https://" TEST_TOKEN "@h/\"", &run);
        CHECK_STR(json_get_string(run.result, "error_class"), "protocol");
        CHECK(strstr(buf_text(&run.output), TEST_TOKEN) == NULL);
    }
    test_git_program();
    test_troublesome_hooks();
    worker_run_free(&run);
    git_fixture_end(&fixture);
    return check_done();
}
