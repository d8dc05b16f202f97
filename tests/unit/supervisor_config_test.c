#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/config/config.h"
#include "supervisor/git_sync/git_sync_request.h"
#include "supervisor/image_build/modal_launch.h"
#include "supervisor/report/post_worker.h"
#include "tests/unit/check.h"
#include "tests/unit/config_fixture.h"

#include <stdlib.h>

static bool complains(const char **pairs, const char *variable, const char *about)
{
    struct config config;
    bool bad = parse(&config, pairs) != 0 && strstr(buf_text(&config.problems), variable) &&
               strstr(buf_text(&config.problems), about);

    if (!bad)
        printf("  said: %s\n", buf_text(&config.problems));
    config_free(&config);
    return bad;
}

static void test_eras_and_modes(void)
{
    struct config config;

    TEST("a launcher's variables tell the era, present counts and not filled") {
        parse(&config, PAIRS("VCS_HOST", ""));
        CHECK_INT(config.era, ERA_CURRENT);
        CHECK_STR(config.era_reason, "VCS_HOST");
        CHECK_STR(config.vcs_host, "github.com");
        config_free(&config);
        parse(&config, PAIRS("REPO_OWNER", "acme"));
        CHECK_INT(config.era, ERA_LEGACY);
        config_free(&config);
    }
    TEST("S-5: any of five variables makes it the current era, all others do not, --era decides") {
        static const char *const current[] = {"VCS_HOST", "SANDBOX_TIMEOUT_SECONDS",
                                              "IMAGE_BUILD_MODE", "FROM_REPO_IMAGE",
                                              "VCS_CLONE_USERNAME"};
        struct flags flags = {.test_root = "", .era = ERA_CHOICE_LEGACY};

        for (size_t i = 0; i < ARRAY_LENGTH(current); i++) {
            parse(&config, PAIRS(current[i], ""));
            CHECK_INT(config.era, ERA_CURRENT);
            CHECK_STR(config.era_reason, current[i]);
            config_free(&config);
        }
        parse(&config, PAIRS("RESTORED_FROM_SNAPSHOT", "true", "VCS_CLONE_TOKEN", "t",
                             "SANDBOX_VERSION", "v61", "REPO_IMAGE_SHA", "x"));
        CHECK_INT(config.era, ERA_LEGACY);
        CHECK_INT(config.boot_mode, BOOT_SNAPSHOT_RESTORE);
        config_free(&config);
        config_parse(&config, &flags, get, PAIRS("VCS_HOST", "x", "FROM_REPO_IMAGE", "true"),
                     PASSWORD, 0);
        CHECK_INT(config.era, ERA_LEGACY);
        CHECK_INT(config.boot_mode, BOOT_FRESH);
        CHECK_STR(config.era_reason, "--era");
        config_free(&config);
    }
    TEST("only the exact word true chooses a boot mode, build before restore before image") {
        static const struct {
            const char *build, *restore, *image;
            enum boot_mode mode;
        } cases[] = {
            {"true", "true", "true", BOOT_BUILD},
            {"false", "true", "true", BOOT_SNAPSHOT_RESTORE},
            {"True", "1", "true", BOOT_REPO_IMAGE},
            {"", "TRUE", " true", BOOT_FRESH},
        };

        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
            parse(&config, PAIRS("IMAGE_BUILD_MODE", cases[i].build, "RESTORED_FROM_SNAPSHOT",
                                 cases[i].restore, "FROM_REPO_IMAGE", cases[i].image));
            CHECK_INT(config.boot_mode, cases[i].mode);
            config_free(&config);
        }
    }
}

static void test_values(void)
{
    struct config config;

    TEST("the contract's sample environment is understood") {
        CHECK_INT(
            parse(&config,
                  PAIRS("SANDBOX_ID", "sandbox-1", "CONTROL_PLANE_URL", "https://control.example/",
                        "SANDBOX_AUTH_TOKEN", "t", "REPO_OWNER", "acme", "REPO_NAME", "app",
                        "VCS_HOST", "git.example:8443", "SESSION_CONFIG",
                        "{\"session_id\":\"s1\",\"provider\":\"anthropic\",\"model\":\"m\","
                        "\"branch\":\" dev \",\"base_sha\":null}")),
            0);
        CHECK_STR(config.sandbox_id, "sandbox-1");
        CHECK_STR(config.session_id, "s1");
        CHECK_STR(config.control_plane_url, "https://control.example");
        CHECK_INT(config.repositories.count, 1);
        CHECK_STR(config.repositories.items[0].branch, "dev");
        CHECK_STR(config.repositories.items[0].path, "/workspace/app");
        CHECK(config.repositories.items[0].branch_given);
        CHECK_STR(config_workdir(&config), "/workspace/app");
        config_free(&config);
    }
    TEST("half a repository pair is no repository") {
        CHECK_INT(parse(&config, PAIRS("REPO_OWNER", "acme", "REPO_NAME", "")), 0);
        CHECK_INT(config.repositories.count, 0);
        CHECK_STR(config_workdir(&config), "/workspace");
        config_free(&config);
    }
    TEST("SESSION_CONFIG's list wins over the pair, and an odd element is skipped") {
        CHECK_INT(
            parse(&config, PAIRS("REPO_OWNER", "acme", "REPO_NAME", "app", "SESSION_CONFIG",
                                 "{\"repositories\":[7,{\"repo_owner\":\"g/sub\",\"repo_name\":"
                                 "\"web\"},{\"repo_owner\":\"x\"}]}")),
            0);
        CHECK_INT(config.repositories.count, 1);
        CHECK_STR(config.repositories.items[0].owner, "g/sub");
        CHECK_STR(config.repositories.items[0].branch, "main");
        CHECK(!config.repositories.items[0].branch_given);
        config_free(&config);
    }
    TEST("S-53: of two fields of one name the last counts, in the repositories too") {
        parse(&config, PAIRS("REPO_OWNER", "acme", "REPO_NAME", "app", "SESSION_CONFIG",
                             "{\"model\":\"first\",\"session_id\":\"first\",\"model\":\"last\","
                             "\"session_id\":\"s\",\"repositories\":[],\"repositories\":["
                             "{\"repo_owner\":\"a\",\"repo_name\":\"x\",\"repo_name\":\"y\"}]}"));
        CHECK_STR(config.model, "last");
        CHECK_STR(config.session_id, "s");
        CHECK_INT(config.repositories.count, 1);
        CHECK_STR(config.repositories.items[0].name, "y");
        config_free(&config);
    }
    TEST("limits that are no positive number become the default, and that is said") {
        CHECK_INT(parse(&config, PAIRS("SETUP_TIMEOUT_SECONDS", "0", "START_TIMEOUT_SECONDS", "7")),
                  0);
        CHECK_INT(config.setup_timeout_ms, 300000);
        CHECK_INT(config.start_timeout_ms, 7000);
        CHECK(strstr(buf_text(&config.remarks), "SETUP_TIMEOUT_SECONDS") != NULL);
        config_free(&config);
    }
}

static void test_problems(void)
{
    TEST("each bad value is one line that names its variable") {
        CHECK(complains(PAIRS("SESSION_CONFIG", ""), "SESSION_CONFIG", "empty"));
        CHECK(complains(PAIRS("SESSION_CONFIG", "{"), "SESSION_CONFIG", "JSON"));
        CHECK(complains(PAIRS("SESSION_CONFIG", "[]"), "SESSION_CONFIG", "object"));
        CHECK(complains(PAIRS("SESSION_CONFIG", "{\"a\":\"\xff\"}"), "SESSION_CONFIG", "UTF-8"));
        CHECK(complains(PAIRS("CONTROL_PLANE_URL", "ftp://x"), "CONTROL_PLANE_URL", "http"));
        CHECK(complains(PAIRS("VCS_HOST", "user@host"), "VCS_HOST", "host name"));
        CHECK(complains(PAIRS("REPO_OWNER", "a", "REPO_NAME", ".."), "REPO_NAME", "\"..\""));
        CHECK(complains(PAIRS("REPO_OWNER", "a/../b", "REPO_NAME", "x"), "REPO_OWNER", "a/../b"));
        CHECK(complains(PAIRS("REPO_OWNER", "a", "REPO_NAME", "x\n"), "REPO_NAME: ", "\"x?\""));
    }
    TEST("what the bridge would refuse is said before the boot") {
        const char *session = "{\"session_id\":\"s\"}";

        CHECK(complains(PAIRS("CONTROL_PLANE_URL", "http://cp", "SESSION_CONFIG", session),
                        "SANDBOX_AUTH_TOKEN", "missing"));
        CHECK(complains(PAIRS("CONTROL_PLANE_URL", "http://cp", "SESSION_CONFIG", session,
                              "SANDBOX_AUTH_TOKEN", "token", "BRIDGE_WS_AUTH", "cookie"),
                        "BRIDGE_WS_AUTH", "query"));
    }
    TEST("names, branches and baselines that could do harm are refused with the value") {
        CHECK(complains(PAIRS("REPO_OWNER", "a", "REPO_NAME", "x", "SESSION_CONFIG",
                              "{\"branch\":\"--upload-pack=x\"}"),
                        "SESSION_CONFIG", "--upload-pack"));
        CHECK(complains(
            PAIRS("REPO_OWNER", "a", "REPO_NAME", "x", "SESSION_CONFIG", "{\"base_sha\":\"abc\"}"),
            "SESSION_CONFIG", "base_sha"));
        CHECK(complains(PAIRS("SESSION_CONFIG",
                              "{\"repositories\":[{\"repo_owner\":\"a\",\"repo_name\":\"App\"},"
                              "{\"repo_owner\":\"b\",\"repo_name\":\"app\"}]}"),
                        "SESSION_CONFIG: repositories[1].repo_name \"app\"",
                        "share the directory"));
        CHECK(complains(PAIRS("SESSION_CONFIG",
                              "{\"repositories\":[7,{\"repo_owner\":\"a\",\"repo_name\":\"x\","
                              "\"branch\":\"-q\"}]}"),
                        "SESSION_CONFIG: repositories[1].branch \"-q\"", "branch name"));
    }
}

static void test_builds(void)
{
    TEST("a build's callback needs all of its variables, and nothing else looks at them") {
        struct config config;

        CHECK(complains(PAIRS("IMAGE_BUILD_MODE", "true", "OI_REPO_IMAGE_BUILD_ID", "b"),
                        "OI_REPO_IMAGE_CALLBACK_TOKEN", "missing"));
        CHECK(complains(
            PAIRS("IMAGE_BUILD_MODE", "true", "OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS", "0"),
            "OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS", "whole number"));
        CHECK_INT(parse(&config, PAIRS("IMAGE_BUILD_MODE", "false", "OI_REPO_IMAGE_BUILD_ID", "",
                                       "OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS", "")),
                  0);
        config_free(&config);
    }
    TEST("Modal's token is 64 lower-case hex digits and a newline, nothing else") {
        static const char good[] =
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";
        static const char upper[] =
            "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n";

        CHECK_STR(modal_launch_check_token(good, sizeof good - 1), NULL);
        CHECK_STR(modal_launch_check_token(upper, sizeof upper - 1), "invalid callback token");
        CHECK_STR(modal_launch_check_token(good, 0), "stdin closed");
        CHECK_STR(modal_launch_check_token(good, 64), "incomplete callback token");
        CHECK_STR(modal_launch_check_token("abc\n", 4), "invalid callback token");
        CHECK_STR(modal_launch_check_token(good, 66), "callback token too large");
    }
    TEST("only what may change is worth another attempt at a callback") {
        static const int again[] = {0, 302, 408, 429, 500, 503};
        static const int final[] = {200, 204, 400, 401, 403, 404, 409, 410};

        for (size_t i = 0; i < ARRAY_LENGTH(again); i++)
            CHECK(post_worker_may_retry(again[i]));
        for (size_t i = 0; i < ARRAY_LENGTH(final); i++)
            CHECK(!post_worker_may_retry(final[i]));
    }
}

static void test_all_problems(void)
{
    TEST("all problems are said at once") {
        struct config config;

        parse(&config, PAIRS("VCS_HOST", "a b", "CONTROL_PLANE_URL", "x", "SESSION_CONFIG", "7"));
        CHECK(strstr(buf_text(&config.problems), "VCS_HOST") != NULL);
        CHECK(strstr(buf_text(&config.problems), "CONTROL_PLANE_URL") != NULL);
        CHECK(strstr(buf_text(&config.problems), "SESSION_CONFIG") != NULL);
        config_free(&config);
    }
    TEST("git's rules for branch names hold") {
        static const char *const good[] = {"main", "a/b", "v1.0", "feature/x-y_z", "h\xc3\xa9"};
        static const char *const bad[] = {"",   "-x",   "a..b", "a b", "a~1",  "a^", "x:y",
                                          "a/", "/a",   "a//b", ".a",  "a/.b", "a.", "a.lock",
                                          "@",  "a@{1", "a\\b", "a?",  "a*",   "a[", "a\x7f"};

        for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
            CHECK(repositories_is_branch_name(good[i]));
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
            CHECK(!repositories_is_branch_name(bad[i]));
    }
}

static void test_git_requests(void)
{
    struct config config;

    TEST("a git worker gets a plain URL, and the token only as a password") {
        parse(&config, PAIRS("REPO_OWNER", "acme", "REPO_NAME", "app", "GITHUB_APP_TOKEN",
                             "token-of-the-app", "SESSION_CONFIG",
                             "{\"git_user\":{\"name\":\"Ada\",\"email\":\"ada@example.com\"}}"));
        AUTO_JSON cJSON *request = git_sync_request_build(&config, &config.repositories.items[0]);

        CHECK_STR(json_get_string(request, "url"), "https://github.com/acme/app.git");
        CHECK_STR(git_sync_unexpected_event(&config), "git.sync_error");
        CHECK_STR(json_get_string(request, "action"), "legacy-sync");
        CHECK_STR(json_get_string(request, "branch"), NULL);
        CHECK_STR(json_get_string(request, "username"), "x-access-token");
        CHECK_STR(json_get_string(request, "password"), "token-of-the-app");
        CHECK_STR(json_get_string(json_get_object(request, "identity"), "email"),
                  "ada@example.com");
        config_free(&config);
    }
    TEST("the current contract ignores GITHUB_APP_TOKEN and only refreshes what was restored") {
        parse(&config, PAIRS("VCS_HOST", "gitlab.com", "REPO_OWNER", "acme", "REPO_NAME", "app",
                             "GITHUB_APP_TOKEN", "x", "VCS_CLONE_TOKEN", "y",
                             "RESTORED_FROM_SNAPSHOT", "true"));
        AUTO_JSON cJSON *request = git_sync_request_build(&config, &config.repositories.items[0]);

        CHECK_STR(json_get_string(request, "action"), "refresh");
        CHECK_STR(git_sync_unexpected_event(&config), "git.restore_refresh_error");
        config.boot_mode = BOOT_FRESH;
        CHECK_STR(git_sync_unexpected_event(&config), "git.update_error");
        CHECK_STR(json_get_string(request, "username"), "oauth2");
        CHECK_STR(json_get_string(request, "password"), "y");
        CHECK_STR(json_get_string(request, "branch"), "main");
        CHECK(json_get_bool(request, "branch_is_default", false));
        config_free(&config);
    }
}

int main(void)
{
    test_eras_and_modes();
    test_values();
    test_problems();
    test_builds();
    test_all_problems();
    test_git_requests();
    return check_done();
}
