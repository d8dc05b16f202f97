/* What --check says of an environment that works, but not as somebody may have meant it. */

#include "tests/unit/check.h"
#include "tests/unit/config_fixture.h"

static bool remarks(const struct config *config, const char *text)
{
    return strstr(buf_text(&config->remarks), text) != NULL;
}

int main(void)
{
    struct config config;

    TEST("a limit that the bridge would replace is said, with what it uses") {
        const char *pairs[] = {"BRIDGE_TOKEN_INTERVAL_MS",
                               "x",
                               "BRIDGE_SSE_INACTIVITY_TIMEOUT",
                               "4.9",
                               "BRIDGE_OUTBOX_MAX_EVENTS",
                               "1e9",
                               "BRIDGE_SETTLE_MS",
                               "60000",
                               NULL};

        parse(&config, pairs);
        CHECK(remarks(&config, "BRIDGE_TOKEN_INTERVAL_MS: is no number; the bridge uses 100\n"));
        CHECK(remarks(&config,
                      "BRIDGE_SSE_INACTIVITY_TIMEOUT: is not from 5 to 3600; the bridge uses 5\n"));
        CHECK(remarks(
            &config,
            "BRIDGE_OUTBOX_MAX_EVENTS: is not from 2 to 1000000; the bridge uses 1000000\n"));
        CHECK(!remarks(&config, "BRIDGE_SETTLE_MS"));
        config_free(&config);
    }
    TEST("section 8: a service that is asked for and not started is said") {
        const char *pairs[] = {"TERMINAL_ENABLED", "false", "VNC_PASSWORD", "", NULL};

        parse(&config, pairs);
        CHECK(remarks(&config, "TERMINAL_ENABLED: asks for a terminal"));
        CHECK(!remarks(&config, "VNC_PASSWORD") && !remarks(&config, "CODE_SERVER_PASSWORD"));
        config_free(&config);
    }
    TEST("a token that fits in no header is a problem where a bridge would need it") {
        const char *pairs[] = {"CONTROL_PLANE_URL",
                               "https://cp.example",
                               "SANDBOX_AUTH_TOKEN",
                               "t\n",
                               "SESSION_CONFIG",
                               "{\"session_id\":\"s\"}",
                               NULL};

        parse(&config, pairs);
        CHECK(strstr(buf_text(&config.problems), "SANDBOX_AUTH_TOKEN: holds a line break") != NULL);
        config_free(&config);
        pairs[1] = "";
        parse(&config, pairs);
        CHECK_INT(config.problems.len, 0);
        config_free(&config);
    }
    return check_done();
}
