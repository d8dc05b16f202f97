/* What of SESSION_CONFIG, of the image and of the machine a configuration takes. */
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/unit/check.h"
#include "tests/unit/config_fixture.h"

#include <stdlib.h>

/* In KiB, in a sandbox of so many bytes. */
static uint64_t memory_limit(uint64_t sandbox_memory, const char *flag)
{
    struct flags flags = {.test_root = "", .opencode_memory_limit_mb = flag};
    struct config config;
    uint64_t limit;

    config_parse(&config, &flags, get, PAIRS(), PASSWORD, sandbox_memory);
    limit = config.opencode_memory_limit_kib;
    config_free(&config);
    return limit;
}

#define SHA "0123456789abcdef0123456789ABCDEF01234567"

static void test_session_fields(void)
{
    static const struct {
        const char *session, *id;
    } ids[] = {
        {"{\"session_id\":\"old\",\"sessionId\":\"new\"}", "new"},
        {"{\"session_id\":\"old\",\"sessionId\":\"\"}", "old"},
        {"{\"session_id\":7}", "7"},
        {"{\"session_id\":null}", ""},
        {"{\"session_id\":false}", ""},
        {"{\"session_id\":0}", ""},
    };
    struct config config;

    TEST("S-55: a session's id is any value, sessionId first; SESSION_ID only in the older era") {
        for (size_t i = 0; i < ARRAY_LENGTH(ids); i++) {
            parse(&config, PAIRS("SESSION_CONFIG", ids[i].session, "VCS_HOST", "h", "SESSION_ID",
                                 "of the older era"));
            CHECK_STR(config.session_id, ids[i].id);
            config_free(&config);
        }
        parse(&config, PAIRS("SESSION_ID", "s1"));
        CHECK_STR(config.session_id, "s1");
        config_free(&config);
    }
    TEST("S-56, S-64, S-65: what is null or absent has its era's default") {
        parse(&config, PAIRS("VCS_HOST", "h", "REPO_OWNER", "a", "REPO_NAME", "x", "SESSION_CONFIG",
                             "{\"branch\":null,\"base_sha\":null,\"provider\":null}"));
        CHECK_STR(config.repositories.items[0].branch, "main");
        CHECK_STR(config.repositories.items[0].base_sha, NULL);
        CHECK_STR(config.provider, "anthropic");
        CHECK_STR(config.model, "claude-sonnet-4-6");
        CHECK_STR(config.working_branch, NULL);
        config_free(&config);
        parse(&config, PAIRS());
        CHECK_STR(config.provider, "anthropic");
        CHECK_STR(config.model, "claude-sonnet-4-5");
        config_free(&config);
    }
    TEST("S-57, S-62, S-63: baselines and branches are trimmed, each from its own place") {
        parse(&config,
              PAIRS("REPO_OWNER", "a", "REPO_NAME", "x", "SESSION_CONFIG",
                    "{\"base_sha\":\" " SHA " \",\"working_branch_name\":\" open/s1\\n\"}"));
        CHECK_STR(config.repositories.items[0].base_sha, SHA);
        CHECK_STR(config.working_branch, "open/s1");
        config_free(&config);
        parse(&config, PAIRS("SESSION_CONFIG", "{\"base_sha\":\"" SHA "\",\"repositories\":["
                                               "{\"repo_owner\":\"a\",\"repo_name\":\"x\"}]}"));
        CHECK_STR(config.repositories.items[0].base_sha, NULL);
        config_free(&config);
    }
}

static void test_opencode(void)
{
    struct config config;

    TEST("S-34 to S-36, S-105: what asks the control plane for its newer routes is today's era's") {
        for (int era = ERA_LEGACY; era <= ERA_CURRENT; era++) {
            parse(&config, PAIRS("AGENT_SLACK_NOTIFY_ENABLED", "True", "OPENAI_OAUTH_MANAGED", "0",
                                 "XAI_OAUTH_MANAGED", "1", era ? "VCS_HOST" : "UNKNOWN", ""));
            CHECK_INT(config.slack_notify, era);
            CHECK_INT(config.openai_managed, era);
            CHECK_INT(config.xai_managed, era);
            config_free(&config);
        }
    }
    TEST("OpenCode has a password exactly when others could reach it") {
        parse(&config, PAIRS("OPENCODE_SERVER_PASSWORD", "of a user's secret"));
        CHECK_STR(config.opencode_host, "127.0.0.1");
        CHECK_STR(config.opencode_password, NULL);
        config_free(&config);
        parse(&config, PAIRS("OPENCODE_HOSTNAME", "0.0.0.0"));
        CHECK_STR(config.opencode_password, PASSWORD);
        config_free(&config);
    }
}

static void test_memory_limit(void)
{
    const uint64_t gib = UINT64_C(1) << 30;

    TEST("OpenCode may use 3 GiB, in a small sandbox three quarters of it, or what is asked for") {
        CHECK_INT(memory_limit(0, NULL), 3072 * 1024);
        CHECK_INT(memory_limit(16 * gib, NULL), 3072 * 1024);
        CHECK_INT(memory_limit(4 * gib, NULL), 3072 * 1024);
        CHECK_INT(memory_limit(2 * gib, NULL), 1536 * 1024);
        CHECK_INT(memory_limit(2 * gib, "1900"), 1900 * 1024);
        CHECK_INT(memory_limit(2 * gib, "0"), 0);
    }
}

int main(void)
{
    test_session_fields();
    test_opencode();
    test_memory_limit();
    return check_done();
}
