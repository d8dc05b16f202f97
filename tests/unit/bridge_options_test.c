/* The command line: what is accepted, what is refused, and where the credential comes from. */
#include "bridge/options.h"
#include "tests/unit/check.h"

static const char *token_variable, *auth_variable;

static const char *lookup(const char *name)
{
    if (strcmp(name, "SANDBOX_AUTH_TOKEN") == 0)
        return token_variable;
    if (strcmp(name, "BRIDGE_WS_AUTH") == 0)
        return auth_variable;
    return NULL;
}

static struct options options;
static struct err err;

#define PARSE(...) parse((char *[]){"oi-bridge", __VA_ARGS__, NULL})
#define IDS "--sandbox-id", "sb", "--session-id", "se", "--control-plane", "https://cp.example"

static int parse(char **argv)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    err_clear(&err);
    return options_parse(argc, argv, lookup, &options, &err);
}

static void test_accepted(void)
{
    TEST("values are taken after a blank and after an equals sign, empty ones too") {
        CHECK_INT(PARSE("--sandbox-id=", "--session-id", "se", "--control-plane=http://cp?a=b",
                        "--token", "", "--opencode-port=5000"),
                  0);
        CHECK_STR(options.sandbox_id, "");
        CHECK_STR(options.session_id, "se");
        CHECK_STR(options.control_plane, "http://cp?a=b");
        CHECK_STR(options.token, "");
        CHECK_INT(options.opencode_port, 5000);
        CHECK_INT(options.action, OPTIONS_RUN);
    }
    TEST("the credential comes from the environment when no option gives one") {
        token_variable = "from-environment";
        CHECK_INT(PARSE(IDS), 0);
        CHECK_STR(options.token, "from-environment");
        CHECK_INT(PARSE(IDS, "--token", "from-option"), 0);
        CHECK_STR(options.token, "from-option");
        CHECK_INT(PARSE(IDS, "--token-fd", "7"), 0);
        CHECK(!options.token);
        CHECK_INT(options.token_fd, 7);
        token_variable = NULL;
    }
    TEST("the port is 4096 unless given") {
        CHECK_INT(PARSE(IDS, "--token=t"), 0);
        CHECK_INT(options.opencode_port, 4096);
    }
    TEST("authentication is by header, or as the variable says, or as the option says") {
        CHECK_INT(PARSE(IDS, "--token=t"), 0);
        CHECK_INT(options.auth, OPTIONS_AUTH_HEADER);
        auth_variable = "query";
        CHECK_INT(PARSE(IDS, "--token=t"), 0);
        CHECK_INT(options.auth, OPTIONS_AUTH_QUERY);
        CHECK_INT(PARSE(IDS, "--token=t", "--auth", "query-only"), 0);
        CHECK_INT(options.auth, OPTIONS_AUTH_QUERY_ONLY);
        auth_variable = NULL;
    }
    TEST("help, version and worker need nothing else") {
        CHECK_INT(PARSE("--help"), 0);
        CHECK_INT(options.action, OPTIONS_HELP);
        CHECK_INT(PARSE("-h"), 0);
        CHECK_INT(options.action, OPTIONS_HELP);
        CHECK_INT(PARSE("--version"), 0);
        CHECK_INT(options.action, OPTIONS_VERSION);
        CHECK_INT(PARSE("--worker", "push"), 0);
        CHECK_INT(options.action, OPTIONS_WORKER);
        CHECK_STR(options.worker, "push");
    }
}

static void test_refused(void)
{
    TEST("a missing option is named") {
        CHECK_INT(PARSE("--session-id", "se", "--control-plane", "x", "--token", "t"), -1);
        CHECK(strstr(err.text, "--sandbox-id"));
        CHECK_INT(PARSE("--sandbox-id", "sb", "--control-plane", "x", "--token", "t"), -1);
        CHECK(strstr(err.text, "--session-id"));
        CHECK_INT(PARSE("--sandbox-id", "sb", "--session-id", "se", "--token", "t"), -1);
        CHECK(strstr(err.text, "--control-plane"));
    }
    TEST("without a credential the message says where one may come from") {
        CHECK_INT(PARSE(IDS), -1);
        CHECK(strstr(err.text, "SANDBOX_AUTH_TOKEN"));
    }
    TEST("unknown options, stray words and missing values are refused") {
        CHECK_INT(PARSE(IDS, "--token=t", "--frobnicate"), -1);
        CHECK(strstr(err.text, "--frobnicate"));
        CHECK_INT(PARSE(IDS, "--token=t", "stray"), -1);
        CHECK_INT(PARSE(IDS, "--token"), -1);
        CHECK_STR(err.text, "--token: a value is missing");
    }
    TEST("an unknown option with a value does not show the value") {
        CHECK_INT(PARSE(IDS, "--tokn=secret"), -1);
        CHECK(!strstr(err.text, "secret"));
    }
    TEST("a port that is no number, and one too high, are refused") {
        CHECK_INT(PARSE(IDS, "--token=t", "--opencode-port=x"), -1);
        CHECK_INT(PARSE(IDS, "--token=t", "--opencode-port="), -1);
        CHECK_INT(PARSE(IDS, "--token=t", "--opencode-port=65536"), -1);
        CHECK_INT(PARSE(IDS, "--token=t", "--opencode-port=-1"), -1);
    }
    TEST("an unknown way of authentication is refused, also in the variable") {
        CHECK_INT(PARSE(IDS, "--token=t", "--auth=cookie"), -1);
        auth_variable = "cookie";
        CHECK_INT(PARSE(IDS, "--token=t"), -1);
        CHECK(strstr(err.text, "BRIDGE_WS_AUTH"));
        CHECK_INT(PARSE(IDS, "--token=t", "--auth=header"), 0);
        auth_variable = NULL;
    }
    TEST("a variable that is wrong stops no call for help (B-102)") {
        auth_variable = "cookie";
        CHECK_INT(PARSE("--help"), 0);
        CHECK_INT(options.action, OPTIONS_HELP);
        CHECK_INT(PARSE("--worker", "push"), 0);
        auth_variable = NULL;
    }
}

int main(void)
{
    test_accepted();
    test_refused();
    return check_done();
}
