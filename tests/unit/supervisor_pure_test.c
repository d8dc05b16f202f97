#include "common/cleanup.h"
#include "supervisor/bridge_service/bridge_message.h"
#include "supervisor/process/child_env.h"
#include "supervisor/config/flags.h"
#include "supervisor/process/line_tail.h"
#include "supervisor/opencode/config_content.h"
#include "supervisor/staging/git_exclude.h"
#include "supervisor/opencode/health_answer.h"
#include "supervisor/opencode/probe_schedule.h"
#include "supervisor/shutdown/shutdown_plan.h"
#include "supervisor/boot/tunnel_file.h"
#include "supervisor/boot/workspace_guide.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <stdlib.h>

static int parse_flags(struct flags *flags, struct err *err, char *first, char *second)
{
    char name[] = "oi-supervisor";
    char *argv[] = {name, first, second, NULL};

    return flags_parse(second ? 3 : first ? 2 : 1, argv, flags, err);
}

static void test_flags(void)
{
    struct flags flags;
    struct err err;

    TEST("flags are taken with a blank or an equals sign, and unknown ones are refused") {
        CHECK_INT(parse_flags(&flags, &err, NULL, NULL), 0);
        CHECK_INT(flags.action, FLAGS_RUN);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--test-root"}, (char[]){"/x"}), 0);
        CHECK_STR(flags.test_root, "/x");
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--era=legacy"}, NULL), 0);
        CHECK_INT(flags.era, ERA_CHOICE_LEGACY);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--era"}, (char[]){"x"}), -1);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--bridge-cmd"}, NULL), -1);
        CHECK(strstr(err.text, "--bridge-cmd needs a value") != NULL);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--nonsense"}, NULL), -1);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"stray"}, NULL), -1);
        CHECK_INT(parse_flags(&flags, &err, (char[]){"--worker=git-sync"}, NULL), 0);
        CHECK_INT(flags.action, FLAGS_WORKER);
    }
    TEST("a limit of OpenCode's memory is a number of megabytes") {
        static const char *const bad[] = {"x", "-1", "1048577", ""};

        CHECK_INT(parse_flags(&flags, &err, (char[]){"--opencode-memory-limit-mb"}, (char[]){"0"}),
                  0);
        CHECK_STR(flags.opencode_memory_limit_mb, "0");
        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
            char word[16];

            snprintf(word, sizeof word, "%s", bad[i]);
            CHECK_INT(parse_flags(&flags, &err, (char[]){"--opencode-memory-limit-mb"}, word), -1);
        }
    }
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

static enum health_answer answer(const char *bytes, bool ended)
{
    return health_answer_read(bytes, strlen(bytes), ended);
}

static void test_health(void)
{
    static const char healthy[] = HEAD "{\"healthy\":true,\"version\":\"1.18.33\"}";

    TEST("only a complete 200 whose JSON says healthy counts") {
        CHECK_INT(answer(healthy, false), HEALTH_ANSWER_HEALTHY);
        CHECK_INT(answer(HEAD "1d\r\n{ \"healthy\" : true }\r\n0\r\n\r\n", false),
                  HEALTH_ANSWER_HEALTHY);
        CHECK_INT(answer(HEAD "{\"healthy\":false}", false), HEALTH_ANSWER_OTHER);
        CHECK_INT(answer(HEAD "<html>\"healthy\":true}", false), HEALTH_ANSWER_OTHER);
        CHECK_INT(answer("HTTP/1.1 401 No\r\n\r\n{\"healthy\":true}", false), HEALTH_ANSWER_OTHER);
        CHECK_INT(answer("SSH-2.0-x\r\n", true), HEALTH_ANSWER_OTHER);
        CHECK_INT(answer("", true), HEALTH_ANSWER_OTHER);
    }
    TEST("an answer in pieces is waited for, one that never ends is not") {
        char endless[HEALTH_ANSWER_MAX];

        for (size_t len = 0; len < sizeof healthy - 2; len++)
            CHECK_INT(health_answer_read(healthy, len, false), HEALTH_ANSWER_INCOMPLETE);
        memset(endless, 'x', sizeof endless);
        CHECK_INT(health_answer_read(endless, sizeof endless, false), HEALTH_ANSWER_OTHER);
    }
    TEST("OpenCode is asked early, then ten times a second, never with a longer limit than 2 s") {
        CHECK_INT(probe_schedule_wait_ms(0), 2);
        CHECK_INT(probe_schedule_wait_ms(30), 10);
        CHECK_INT(probe_schedule_wait_ms(5000), 100);
        CHECK_INT(probe_schedule_limit_ms(0), 150);
        CHECK_INT(probe_schedule_limit_ms(60000), 2000);
    }
}

/* The end of every configuration. */
#define WARM_UP_WITH(sdk)                                                                     \
    ",\"provider\":{\"oi-warm-up\":{\"npm\":\"@ai-sdk/" sdk                                   \
    "\",\"options\":{\"baseURL\":\"http://127.0.0.1:9/v1\",\"apiKey\":\"none\"},\"models\":{" \
    "\"none\":{}}}}}"

static void test_opencode_config(void)
{
    TEST("OpenCode's configuration allows everything and names model and MCP servers") {
        static const char session_text[] =
            "{\"mcp_servers\":[{\"name\":\"a\",\"type\":\"remote\",\"url\":\"https://x\",\"env\":{"
            "\"k\":\"v\"}},{\"name\":\"b\",\"command\":[\"npx\",\"y\"],\"env\":{}},{\"type\":"
            "\"local\"},7]"
            "}";
        AUTO_JSON cJSON *session = json_parse(session_text, strlen(session_text), NULL);
        struct config config = {.provider = "anthropic", .model = "claude", .session = session};
        AUTO_FREE char *text = config_content_build(&config);

        CHECK_STR(text,
                  "{\"model\":\"anthropic/claude\",\"permission\":{\"*\":{\"*\":\"allow\"}},"
                  "\"snapshot\":false,"
                  "\"mcp\":{\"a\":{\"type\":\"remote\",\"url\":\"https://x\",\"headers\":{\"k\":"
                  "\"v\"}},\"b\":{\"type\":\"local\",\"command\":[\"npx\",\"y\"]}}" WARM_UP_WITH(
                      "anthropic"));
    }
    TEST("what is no text in an MCP server, for which OpenCode would refuse every prompt, becomes "
         "one or is left out") {
        static const char session_text[] =
            "{\"mcp_servers\":[{\"name\":\"a\",\"command\":[\"serve\",8080,null,true],\"env\":{"
            "\"PORT\":8080,\"ON\":true,\"NONE\":null,\"MORE\":{}}},{\"name\":\"b\",\"command\":"
            "\"npx "
            "y\",\"env\":[\"A=1\"]},{\"name\":\"c\",\"type\":\"remote\",\"url\":7,\"headers\":{"
            "\"X\":"
            "[]},\"env\":{\"Y\":1.5}}]}";
        AUTO_JSON cJSON *session = json_parse(session_text, strlen(session_text), NULL);
        struct config config = {.provider = "anthropic", .model = "claude", .session = session};
        AUTO_FREE char *text = config_content_build(&config);

        CHECK(strstr(
            text, "\"mcp\":{\"a\":{\"type\":\"local\",\"command\":[\"serve\",\"8080\",\"true\"],"
                  "\"environment\":{\"PORT\":\"8080\",\"ON\":\"true\"}},\"b\":{\"type\":\"local\","
                  "\"command\":[]},\"c\":{\"type\":\"remote\",\"url\":\"\",\"headers\":{\"Y\":"
                  "\"1.5\"}}}"));
    }
    TEST("without MCP servers there is no such member; snapshots may be asked for") {
        struct config config = {.provider = "p", .model = "m", .opencode_snapshot = true};
        AUTO_FREE char *text = config_content_build(&config);

        CHECK_STR(text, "{\"model\":\"p/m\",\"permission\":{\"*\":{\"*\":\"allow\"}}" WARM_UP_WITH(
                            "openai-compatible"));
    }
}

static bool is_kept(void *user, const char *pattern)
{
    (void)user;
    return strcmp(pattern, "/kept") == 0;
}

static void test_git_exclude(void)
{
    static const char *const patterns[] = {"/.opencode/node_modules"};
    static const char block[] = "# BEGIN Open-Inspect runtime assets\n/.opencode/node_modules\n"
                                "# END Open-Inspect runtime assets\n";

    TEST("our block is appended to the user's excludes once, and keeps what it held") {
        AUTO_BUF struct buf once = BUF_INIT(4096);
        AUTO_BUF struct buf twice = BUF_INIT(4096);
        AUTO_BUF struct buf inside = BUF_INIT(4096);

        git_exclude_edit("*.log", patterns, 1, NULL, NULL, &once);
        CHECK(strncmp(buf_text(&once), "*.log\n# BEGIN", 13) == 0);
        CHECK(strstr(buf_text(&once), block) != NULL);
        git_exclude_edit(buf_text(&once), patterns, 1, NULL, NULL, &twice);
        CHECK_STR(buf_text(&twice), buf_text(&once));
        git_exclude_edit("a\n# BEGIN Open-Inspect runtime assets\n/old\n# END Open-Inspect runtime "
                         "assets\nb\n",
                         patterns, 1, NULL, NULL, &inside);
        CHECK(strstr(buf_text(&inside), "/.opencode/node_modules\n/old\n# END") != NULL);
        CHECK(strstr(buf_text(&inside), "assets\nb\n") != NULL);
    }
    TEST("its patterns are sorted, each once (S-249), and a block whose line ends an editor "
         "changed is "
         "found (S-251)") {
        static const char *const two[] = {"/b", "/a"};
        static const char *const texts[] = {
            "x\n# BEGIN Open-Inspect runtime assets\n/c\n/a\n# END Open-Inspect runtime assets",
            "x\n# BEGIN Open-Inspect runtime assets\r\n/c\r\n/a\r\n"
            "# END Open-Inspect runtime assets\r\n"};

        for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
            AUTO_BUF struct buf out = BUF_INIT(4096);

            git_exclude_edit(texts[i], two, 2, NULL, NULL, &out);
            CHECK_STR(buf_text(&out), "x\n# BEGIN Open-Inspect runtime assets\n/a\n/b\n/c\n"
                                      "# END Open-Inspect runtime assets\n");
        }
    }
    TEST("a pattern that is not wanted any more leaves the block, and an empty block the file "
         "(S-250)") {
        AUTO_BUF struct buf some = BUF_INIT(4096);
        AUTO_BUF struct buf none = BUF_INIT(4096);
        AUTO_BUF struct buf same = BUF_INIT(4096);

        git_exclude_edit("a\n# BEGIN Open-Inspect runtime assets\n/gone\n/kept\n"
                         "# END Open-Inspect runtime assets\nb\n",
                         NULL, 0, is_kept, NULL, &some);
        CHECK_STR(buf_text(&some), "a\n# BEGIN Open-Inspect runtime assets\n/kept\n"
                                   "# END Open-Inspect runtime assets\nb\n");
        git_exclude_edit("a\n# BEGIN Open-Inspect runtime assets\n/gone\n"
                         "# END Open-Inspect runtime assets\nb\n",
                         NULL, 0, is_kept, NULL, &none);
        CHECK_STR(buf_text(&none), "a\nb\n");
        git_exclude_edit("*.log", NULL, 0, is_kept, NULL, &same);
        CHECK_STR(buf_text(&same), "*.log");
    }
}

static void test_shutdown_plan(void)
{
    TEST("even when every phase takes all of its time, the budget holds") {
        uint64_t elapsed = 0;

        for (int phase = SHUTDOWN_BRIDGE; phase < SHUTDOWN_OVER; phase++)
            elapsed += shutdown_plan_limit_ms((enum shutdown_phase)phase, elapsed, false);
        CHECK(elapsed <= SHUTDOWN_BUDGET_MS);
    }
    TEST("the bridge has 5 s, OpenCode 10 s, the sweep what is left") {
        CHECK_INT(shutdown_plan_grace_ms(SHUTDOWN_BRIDGE, 0, false), 5000);
        CHECK_INT(shutdown_plan_grace_ms(SHUTDOWN_SERVICES, 100, false), 10000);
        CHECK_INT(shutdown_plan_grace_ms(SHUTDOWN_SWEEP_TERM, 200, false), 2000);
        CHECK(shutdown_plan_grace_ms(SHUTDOWN_SWEEP_TERM, 15300, false) < 700);
        CHECK_INT(shutdown_plan_grace_ms(SHUTDOWN_SWEEP_TERM, 99999, false), 0);
    }
    TEST("a second signal leaves no grace at all") {
        for (int phase = SHUTDOWN_BRIDGE; phase < SHUTDOWN_OVER; phase++)
            CHECK_INT(shutdown_plan_grace_ms((enum shutdown_phase)phase, 0, true), 0);
    }
}

static void test_bridge_messages(void)
{
    static const char connected[] = "{\"type\":\"connected\",\"new\":1}";
    static const char prompt[] = "{\"type\":\"prompt\",\"running\":true}";

    TEST("the bridge's lines are understood, anything else means nothing") {
        struct bridge_message message = bridge_message_read(prompt, strlen(prompt));

        CHECK_INT(message.type, BRIDGE_MESSAGE_PROMPT);
        CHECK(message.running);
        CHECK_INT(bridge_message_read(connected, strlen(connected)).type, BRIDGE_MESSAGE_CONNECTED);
        CHECK_INT(bridge_message_read("[]", 2).type, BRIDGE_MESSAGE_UNKNOWN);
        CHECK_INT(bridge_message_read("{", 1).type, BRIDGE_MESSAGE_UNKNOWN);
        CHECK_INT(bridge_message_read("{\"type\":\"x\"}", 12).type, BRIDGE_MESSAGE_UNKNOWN);
    }
    TEST("a warning without a repository has no repository members") {
        AUTO_BUF struct buf out = BUF_INIT(4096);

        bridge_message_warning(&out, "sync", "stale", NULL, NULL);
        CHECK_STR(buf_text(&out),
                  "{\"type\":\"warning\",\"scope\":\"sync\",\"message\":\"stale\"}\n");
    }
}

static void test_tunnel_file(void)
{
    struct tunnel_ports ports;

    TEST("a list of ports is read, and what is none is left out and noticed") {
        CHECK(tunnel_ports_parse(" 3000 ,5173,,\n", &ports));
        CHECK_INT(ports.count, 2);
        CHECK_INT(ports.ports[1], 5173);
        CHECK(!tunnel_ports_parse("3000,x,70000,0,-1,80a", &ports));
        CHECK_INT(ports.count, 1);
    }
    TEST("the tunnel file is complete when it names every port and no other sandbox") {
        tunnel_ports_parse("3000,80", &ports);
        CHECK(tunnel_file_is_complete("TUNNEL_80=a\nTUNNEL_3000=b\n", &ports, "sb1"));
        CHECK(tunnel_file_is_complete("TUNNEL_SANDBOX_ID=sb1\nTUNNEL_80=a\nTUNNEL_3000=b", &ports,
                                      "sb1"));
        CHECK(!tunnel_file_is_complete("TUNNEL_SANDBOX_ID=sb0\nTUNNEL_80=a\nTUNNEL_3000=b", &ports,
                                       "sb1"));
        CHECK(!tunnel_file_is_complete("TUNNEL_8080=a\nTUNNEL_3000=b\n", &ports, "sb1"));
        CHECK(!tunnel_file_is_complete("", &ports, "sb1"));
    }
    TEST("a file of an unknown sandbox is nobody's") {
        CHECK(tunnel_file_is_of("A=1\nTUNNEL_SANDBOX_ID=sb1\r\n", "sb1"));
        CHECK(!tunnel_file_is_of("TUNNEL_SANDBOX_ID=sb12\n", "sb1"));
        CHECK(!tunnel_file_is_of("TUNNEL_SANDBOX_ID=TUNNEL_SANDBOX_ID=sb1\n", "sb1"));
        CHECK(tunnel_file_is_of("TUNNEL_SANDBOX_ID=sb0\nTUNNEL_SANDBOX_ID=sb1\n", "sb1"));
        CHECK(!tunnel_file_is_of("TUNNEL_SANDBOX_ID=unknown\n", "unknown"));
        CHECK(!tunnel_file_is_of("TUNNEL_SANDBOX_ID=\n", ""));
    }
}

static void test_workspace_guide(void)
{
    TEST("the guide of a workspace lists its repositories, their own guides and the branch") {
        AUTO_BUF struct buf out = BUF_INIT(4096);
        struct config config = {.working_branch = (char[]){"open-inspect/s1"}};
        struct repository web = {
            .owner = (char[]){"acme"}, .name = (char[]){"web"}, .branch = (char[]){"main"}};
        struct repository api = {
            .owner = (char[]){"acme"}, .name = (char[]){"api"}, .branch = (char[]){"dev"}};

        config.repositories.items[0] = web;
        config.repositories.items[1] = api;
        config.repositories.count = 2;
        workspace_guide_print(&config, (const bool[]){false, true}, &out);
        CHECK(strstr(buf_text(&out), "| `./api/` | acme/api | `dev` |\n") != NULL);
        CHECK(strstr(buf_text(&out), "`open-inspect/s1`") != NULL);
        CHECK(strstr(buf_text(&out), "- `./api/AGENTS.md`\n") != NULL);
        CHECK(strstr(buf_text(&out), "./web/AGENTS.md") == NULL);
        CHECK(strstr(buf_text(&out), "`repo` = `acme/web`") != NULL);
    }
}

static void test_small_things(void)
{
    TEST("a child's environment is ours with some variables set or taken out") {
        char *source[] = {"A=1", "B=2", "AB=3", NULL};
        struct child_env env;

        CHECK_INT(child_env_copy(&env, source), 0);
        CHECK_INT(child_env_set(&env, "A", "9"), 0);
        CHECK_INT(child_env_set(&env, "B", NULL), 0);
        CHECK_INT(env.count, 2);
        CHECK_STR(env.variables[0], "AB=3");
        CHECK_STR(env.variables[1], "A=9");
        CHECK(env.variables[2] == NULL);
        child_env_free(&env);
    }
    TEST("of a child's output the last 50 lines are kept, each bounded") {
        struct line_tail tail = {0};
        AUTO_BUF struct buf out = BUF_INIT(LINE_TAIL_LINES * (LINE_TAIL_LINE_MAX + 1));
        AUTO_BUF struct buf small = BUF_INIT(20); /* room for two lines and a half */
        AUTO_FREE char *longest = malloc(2 * LINE_TAIL_LINE_MAX);
        char line[16];

        for (int i = 0; i < 60; i++)
            line_tail_add(&tail, line, (size_t)snprintf(line, sizeof line, "line %d", i));
        line_tail_print(&tail, &out);
        CHECK(strncmp(buf_text(&out), "line 10\nline 11\n", 16) == 0);
        CHECK_STR(buf_text(&out) + out.len - 8, "\nline 59");
        line_tail_print(&tail, &small);
        CHECK_STR(buf_text(&small), "line 58\nline 59");
        memset(longest, 'x', 2 * LINE_TAIL_LINE_MAX);
        line_tail_clear(&tail);
        line_tail_add(&tail, longest, 2 * LINE_TAIL_LINE_MAX);
        buf_reset(&out);
        line_tail_print(&tail, &out);
        CHECK_INT(out.len, LINE_TAIL_LINE_MAX);
        line_tail_clear(&tail);
    }
}

int main(void)
{
    test_flags();
    test_health();
    test_opencode_config();
    test_git_exclude();
    test_shutdown_plan();
    test_bridge_messages();
    test_tunnel_file();
    test_workspace_guide();
    test_small_things();
    return check_done();
}
