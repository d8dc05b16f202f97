/* Commands of both contracts, and everything that is none. */
#include "bridge/control_plane/command.h"
#include "common/json.h"
#include "tests/unit/check.h"

static struct command command;
static struct err err;

static int parse(const char *text)
{
    static char copy[1024];

    command_clear(&command);
    snprintf(copy, sizeof copy, "%s", text);
    return command_parse(copy, strlen(copy), &command, &err);
}

static struct prompt_command prompt(const char *text)
{
    CHECK_INT(parse(text), 0);
    CHECK_INT(command.type, COMMAND_PROMPT);
    return command_prompt(command.body);
}

static void test_types(void)
{
    TEST("every command is known by its name") {
        for (int type = COMMAND_PROMPT; type < COMMAND_TYPE_COUNT; type++) {
            char text[64];

            snprintf(text, sizeof text, "{\"type\":\"%s\"}", command_type_name(type));
            CHECK_INT(parse(text), 0);
            CHECK_INT(command.type, type);
        }
    }
    TEST("an object of another type, or of none, is an unknown command") {
        CHECK_INT(parse("{\"type\":\"dance\"}"), 0);
        CHECK_INT(command.type, COMMAND_UNKNOWN);
        CHECK_INT(parse("{\"type\":7}"), 0);
        CHECK_INT(command.type, COMMAND_UNKNOWN);
        CHECK_INT(parse("{}"), 0);
        CHECK_INT(command.type, COMMAND_UNKNOWN);
        CHECK_INT(parse("{\"type\":\"unknown\"}"), 0);
        CHECK_INT(command.type, COMMAND_UNKNOWN);
    }
    TEST("what is no JSON, and what is no object, is no command (B-216)") {
        CHECK_INT(parse(""), COMMAND_NO_JSON);
        CHECK_INT(parse("{"), COMMAND_NO_JSON);
        CHECK_INT(parse("{\"type\":\"stop\"} {}"), COMMAND_NO_JSON);
        CHECK_INT(parse("[]"), COMMAND_NO_OBJECT);
        CHECK_INT(parse("null"), COMMAND_NO_OBJECT);
    }
}

static void test_prompts(void)
{
    struct prompt_command got;

    TEST("the message id is messageId, else message_id, else a word") {
        CHECK_STR(
            prompt("{\"type\":\"prompt\",\"messageId\":\"a\",\"message_id\":\"b\"}").message_id,
            "a");
        CHECK_STR(
            prompt("{\"type\":\"prompt\",\"messageId\":\"\",\"message_id\":\"b\"}").message_id,
            "b");
        CHECK_STR(prompt("{\"type\":\"prompt\"}").message_id, "unknown");
        CHECK_STR(prompt("{\"type\":\"prompt\",\"messageId\":7}").message_id, "unknown");
    }
    TEST("absent members have their defaults, null and other types count as absent") {
        got = prompt("{\"type\":\"prompt\",\"content\":null,\"model\":\"\",\"author\":[],"
                     "\"attachments\":{}}");
        CHECK_STR(got.content, "");
        CHECK(!got.model);
        CHECK(!got.reasoning_effort);
        CHECK(!got.author);
        CHECK(cJSON_IsObject(got.attachments)); /* any type counts: it is one rejected (B-701) */
    }
    TEST("a whole prompt keeps its text as it was sent") {
        got = prompt("{\"type\":\"prompt\",\"content\":\"a\\nb \\u00e9\",\"model\":\"p/m\","
                     "\"reasoningEffort\":\"high\",\"extra\":1}");
        CHECK_STR(got.content, "a\nb \xc3\xa9");
        CHECK_STR(got.model, "p/m");
        CHECK_STR(got.reasoning_effort, "high");
    }
}

static void test_contract(void)
{
    TEST("an ack, and a prompt with a git identity, show the current contract") {
        parse("{\"type\":\"ack\",\"ackId\":\"x\"}");
        CHECK(command_shows_current_contract(&command));
        parse("{\"type\":\"prompt\",\"author\":{\"gitIdentity\":{\"mode\":\"agent-only\"}}}");
        CHECK(command_shows_current_contract(&command));
    }
    TEST("prompts of older contracts, and other commands, do not") {
        parse("{\"type\":\"prompt\",\"author\":{\"githubName\":\"A\",\"githubEmail\":null}}");
        CHECK(!command_shows_current_contract(&command));
        parse("{\"type\":\"push\",\"pushSpec\":{}}");
        CHECK(!command_shows_current_contract(&command));
    }
}

int main(void)
{
    test_types();
    test_prompts();
    test_contract();
    command_clear(&command);
    return check_done();
}
