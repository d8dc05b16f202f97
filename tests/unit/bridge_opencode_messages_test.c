/* Pages of OpenCode's message list: what is kept of them, and where reading ends. */
#include "bridge/opencode/stored_messages.h"
#include "common/json.h"
#include "tests/unit/check.h"

#define POSTED_MS 5000

/* Single quotes stand for double ones. */
static cJSON *parse(const char *text, bool cut)
{
    char copy[2048];

    snprintf(copy, sizeof copy, "%s", text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return stored_messages_parse(copy, strlen(copy), cut, NULL);
}

static bool is_json(const cJSON *value, const char *text)
{
    AUTO_JSON cJSON *wanted = parse(text, false);

    return cJSON_Compare(value, wanted, true);
}

static void test_parsing(void)
{
    TEST("a list is a list, anything else is an error") {
        AUTO_JSON cJSON *list = parse("[{'info':{},'parts':[]}]", false);

        CHECK(list);
        CHECK(!parse("{'info':1}", false));
        CHECK(!parse("<html>", false));
        CHECK(!stored_messages_parse(NULL, 0, false, NULL));
    }
    TEST("of a message that is too long its info is kept") {
        AUTO_JSON cJSON *list =
            parse("[{'info':{'id':'A','error':{'x':1}},'parts':[{'id':'p','text':'long lo", true);

        CHECK(is_json(list, "[{'info':{'id':'A','error':{'x':1}},'parts':[]}]"));
        CHECK(!parse("[{'info':{'id':'A','summary':'long lo", true));
        CHECK(!parse("[{'info':{},'parts':[", true));
    }
}

static void test_pruning(void)
{
    TEST("images, files and reasoning are dropped, texts, tools and steps are kept") {
        AUTO_JSON cJSON *list =
            parse("[{'info':{'id':'A'},'parts':[{'type':'text','text':'t'},{'type':'reasoning'},"
                  "{'type':'file','url':'data:'},{'type':'tool','state':{'output':'o','metadata':"
                  "{'sessionId':'c','output':'long'},'attachments':[{'url':'data:'}]}},"
                  "{'type':'step-start'},{'type':'snapshot'},7]}]",
                  false);

        CHECK(stored_messages_prune(list) > 0);
        CHECK(is_json(list, "[{'info':{'id':'A'},'parts':[{'type':'text','text':'t'},"
                            "{'type':'tool','state':{'output':'o','metadata':{'sessionId':'c'}}},"
                            "{'type':'step-start'}]}]"));
    }
    TEST("the changes in a user's message are dropped, the mark of a summary is kept") {
        AUTO_JSON cJSON *list = parse("[{'info':{'summary':{'diffs':[1]}},'parts':[]},"
                                      "{'info':{'summary':true},'parts':[]},7]",
                                      false);

        stored_messages_prune(list);
        CHECK(is_json(list, "[{'info':{},'parts':[]},{'info':{'summary':true},'parts':[]},7]"));
    }
    TEST("longer texts weigh more") {
        AUTO_JSON cJSON *one = parse("[{'parts':[{'type':'text','text':'a'}]}]", false);
        AUTO_JSON cJSON *other = parse("[{'parts':[{'type':'text','text':'aaaaa'}]}]", false);

        CHECK_INT(stored_messages_prune(other) - stored_messages_prune(one), 4);
    }
}

static void test_reach(void)
{
    static const struct {
        const char *list;
        bool reaches;
    } cases[] = {
        {"[{'info':{'id':'U','role':'user','time':{'created':9000}}}]", true},
        {"[{'info':{'id':'V','role':'user','time':{'created':4999}}}]", true},
        {"[{'info':{'id':'V','role':'user','time':{'created':5000}}}]", false},
        {"[{'info':{'id':'V','role':'user'}}]", false},
        {"[{'info':{'id':'A','role':'assistant','time':{'created':1}}}]", false},
        {"[7,{'info':null}]", false},
    };

    TEST("reading ends at the prompt's own message, or at one that a user sent before it") {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            AUTO_JSON cJSON *list = parse(cases[i].list, false);

            CHECK_INT(stored_messages_reach(list, "U", POSTED_MS), cases[i].reaches);
        }
    }
    TEST("older pages go in front") {
        AUTO_JSON cJSON *list = stored_messages_join(
            parse("[1,2]", false), stored_messages_join(parse("[3]", false), NULL));

        CHECK(is_json(list, "[1,2,3]"));
    }
}

int main(void)
{
    test_parsing();
    test_pruning();
    test_reach();
    return check_done();
}
