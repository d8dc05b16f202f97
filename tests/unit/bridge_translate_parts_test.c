#include "bridge/translate/error_text.h"
#include "bridge/translate/event_limits.h"
#include "bridge/translate/fields.h"

#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

#define TOOL_PART(call, state)                                                         \
    "{'type':'message.part.updated','properties':{'part':{'id':'x','messageID':'A-U'," \
    "'sessionID':'P','type':'tool','tool':'bash','callID':'" call "','state':" state "}}}"

#define STEP_FINISH(usage)                                                             \
    "{'type':'message.part.updated','properties':{'part':{'id':'s','messageID':'A-U'," \
    "'sessionID':'P','type':'step-finish'," usage "}}}"

static void test_steps(void)
{
    /* What OpenCode says, and what the control plane takes of it. */
    static const char *const cases[][2] = {
        {STEP_FINISH("'cost':0.5,'tokens':{}"), "\"cost\":0.5"},
        {STEP_FINISH("'cost':'0.5','tokens':'many','reason':{'a':1}"), ""},
        {STEP_FINISH("'cost':null,'tokens':{'total':null,'input':1},'reason':'stop'"),
         "\"tokens\":{\"input\":1},\"reason\":\"stop\""},
        {STEP_FINISH("'tokens':{'cache':{'read':2,'write':'x'},'own':'y'}"),
         "\"tokens\":{\"cache\":{\"read\":2},\"own\":\"y\"}"},
        {STEP_FINISH("'tokens':{'output':3,'cache':null}"), "\"tokens\":{\"output\":3}"},
        {STEP_FINISH("'tokens':7"), "\"tokens\":7"},
    };

    TEST(
        "a step's odd fields are left out, for the control plane would drop its cost too (B-420)") {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct fixture fixture;
            char wanted[256], *text;

            fixture_open(&fixture, NULL);
            fixture_answer(&fixture, "U");
            fixture_feed(&fixture, cases[i][0]);
            snprintf(wanted, sizeof wanted, "{\"type\":\"step_finish\",\"messageId\":\"m-1\"%s%s}",
                     cases[i][1][0] ? "," : "", cases[i][1]);
            text = json_to_string(fixture.last);
            CHECK_STR(text, wanted);
            free(text);
            fixture_close(&fixture);
        }
    }
}

static void test_long_ids(void)
{
    struct fixture fixture;

    TEST("a call is shown whose id is a long one, and it is said when one is too long") {
        char id[2 * FIELD_CALL_ID_MAX], part[3 * FIELD_CALL_ID_MAX];

        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        for (size_t len = FIELD_CALL_ID_MAX; len <= FIELD_CALL_ID_MAX + 1; len++) {
            memset(id, 'i', len);
            id[len] = '\0';
            snprintf(part, sizeof part, TOOL_PART("%s", "{'status':'completed','input':{}}"), id);
            fixture_feed(&fixture, part);
        }
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\n");
        CHECK_STR(fixture.note, "bridge.tool_part_skipped");
        fixture_close(&fixture);
    }
}

static void test_tools(void)
{
    struct fixture fixture;
    char *text;

    TEST("each state of a call is sent once, progress in between is not") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, TOOL_PART("c", "{'status':'pending','input':{}}"));
        fixture_feed(&fixture, TOOL_PART("c", "{'status':'running','input':{'a':1}}"));
        fixture_feed(&fixture, TOOL_PART("c", "{'status':'running','input':{'a':1},"
                                              "'metadata':{'output':'x'}}"));
        fixture_feed(&fixture, TOOL_PART("c", "{'status':'completed','input':{'a':1}}"));
        CHECK_STR(fixture_look(&fixture), "tool_call:running\ntool_call:completed\n");
        fixture_close(&fixture);
    }
    TEST("args are an object and output is a text, whatever the tool gave (D-15)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture,
                     TOOL_PART("c", "{'status':'completed','input':[1],'output':{'a':2}}"));
        text = json_to_string(fixture.last);
        CHECK_STR(text, "{\"type\":\"tool_call\",\"messageId\":\"m-1\",\"tool\":\"bash\","
                        "\"args\":{\"input\":[1]},\"callId\":\"c\",\"status\":\"completed\","
                        "\"output\":\"{\\\"a\\\":2}\"}");
        free(text);
        fixture_close(&fixture);
    }
    TEST("a failed call says why (D-05)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, TOOL_PART("c", "{'status':'error','input':{},'error':'denied'}"));
        CHECK_STR(json_get_string(fixture.last, "output"), "denied");
        fixture_close(&fixture);
    }
    TEST("wrong types are ignored, the prompt goes on (D-07)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, TOOL_PART("c", "'running'"));
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':null}}");
        fixture_feed(&fixture, "{'type':'message.updated','properties':{'info':[]}}");
        fixture_feed(&fixture, "{'type':{},'properties':7}");
        fixture_feed(&fixture, "17");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_delta(&fixture, "fine");
        CHECK_STR(fixture_look(&fixture), "token:fine\n");
        fixture_close(&fixture);
    }
}

static void test_holding(void)
{
    struct fixture fixture;

    TEST("the parts of the user's own message take no room of the held ones (D-47)") {
        fixture_open(&fixture, NULL);
        for (int i = 0; i < 2100; i++)
            fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'u',"
                                   "'messageID':'U','sessionID':'P','type':'text','text':'q'}}}");
        CHECK_INT(fixture.notes, 0);
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'part':{'id':'T-U',"
                               "'messageID':'A-U','sessionID':'P','type':'text','text':'early'}}}");
        fixture_answer(&fixture, "U");
        CHECK_STR(fixture_look(&fixture), "token:early\n");
        fixture_close(&fixture);
    }
}

static void test_errors(void)
{
    static const struct {
        const char *error;
        const char *text;
    } cases[] = {
        {"{'data':{'message':'m'},'name':'N'}", "m"},
        {"{'data':{'message':null},'name':'N'}", "N"}, /* D-36 */
        {"{'data':{'message':{'x':1}}}", "{\"x\":1}"},
        {"{'data':{},'message':'top','name':'N'}", "top"},
        {"{'name':'N'}", "N"},
        {"'plain'", "plain"},
        {"{}", NULL},
        {"null", NULL},
    };

    TEST("the text of an error object (B-560)") {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            cJSON *error = fixture_json(cases[i].error);
            char *text = error_text(error);

            CHECK_STR(text, cases[i].text);
            free(text);
            cJSON_Delete(error);
        }
    }
}

static void test_limits(void)
{
    size_t size = EVENT_ARGS_MAX + 100;
    char *large = malloc(size + 1);
    cJSON *args = cJSON_CreateObject();

    memset(large, 'z', size);
    large[size] = '\0';
    TEST("args that are too long keep their shape, their long texts are cut and marked (D-40)") {
        json_add_string(args, "path", "/a");
        json_add_string(args, "content", large);
        args = event_limits_args(args);
        CHECK_STR(json_get_string(args, "path"), "/a");
        CHECK(strlen(json_get_string(args, "content")) < EVENT_ARGS_STRING_MAX + 100);
        CHECK(strstr(json_get_string(args, "content"), FIELD_CUT_MARK) != NULL);
        cJSON_Delete(args);
    }
    TEST("args that stay too long are replaced by a note") {
        args = cJSON_CreateObject();
        for (int i = 0; i < 20; i++) {
            char key[16];

            snprintf(key, sizeof(key), "k%d", i);
            json_add_string(args, key, large);
        }
        args = event_limits_args(args);
        CHECK(json_get_string(args, "cut") != NULL && json_get(args, "k0") == NULL);
        cJSON_Delete(args);
    }
    TEST("an output over 256 KiB is cut and marked") {
        cJSON *value = cJSON_CreateString(large);
        char *text = field_to_text(value);

        CHECK(text && strlen(text) == FIELD_TEXT_MAX + strlen(FIELD_CUT_MARK));
        free(text);
        cJSON_Delete(value);
    }
    TEST("an output of control characters is cut earlier, for its escapes") {
        cJSON *value;
        char *text;
        char *printed;

        memset(large, 27, size);
        value = cJSON_CreateString(large);
        text = field_to_text(value);
        cJSON_Delete(value);
        value = cJSON_CreateString(text);
        printed = json_to_string(value);
        CHECK(strlen(printed) > FIELD_TEXT_MAX && strlen(printed) < 2 * FIELD_TEXT_MAX + 100);
        CHECK(strstr(text, FIELD_CUT_MARK) != NULL);
        free(printed);
        free(text);
        cJSON_Delete(value);
    }
    free(large);
}

int main(void)
{
    test_steps();
    test_long_ids();
    test_tools();
    test_holding();
    test_errors();
    test_limits();
    return check_done();
}
