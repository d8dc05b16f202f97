#include "bridge/push_worker.h"

#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"
#include "tests/unit/worker_fixture.h"

static struct git_fixture fixture;
static struct worker_run run;

/* Runs the worker; "ok", or the text of its failure. */
static const char *push(const char *user_part, const char *refspec, bool force)
{
    cJSON *object = cJSON_CreateObject();
    char url[256];

    snprintf(url, sizeof url, "https://%s@localhost:%d/acme/app.git", user_part, fixture.port);
    json_add_string(object, "path", fixture.checkout);
    json_add_string(object, "remote_url", url);
    json_add_string(object, "refspec", refspec);
    json_add_bool(object, "force", force);
    worker_run_free(&run);
    worker_run_json(push_worker_main, object, &run);
    CHECK_STR(json_get_string(run.result, "type"), "result");
    CHECK(strstr(buf_text(&run.output), TEST_TOKEN) == NULL);
    if (json_get_bool(run.result, "ok", false)) {
        CHECK_INT(run.status, 0);
        return "ok";
    }
    CHECK_INT(WEXITSTATUS(run.status), 1);
    return json_get_string(run.result, "error");
}

static void hook(const char *script)
{
    git_shell(&fixture,
              "cd repositories/acme/app.git/hooks; printf '#!/bin/sh\\n%s\\n' >pre-receive;"
              "chmod +x pre-receive",
              script);
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
    worker_run_free(&run);
    git_fixture_end(&fixture);
    return check_done();
}
