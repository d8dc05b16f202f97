/* Taking up a prompt of an earlier bridge, and the queue of prompts. */
#include "bridge/prompt/prompt_queue.h"
#include "bridge/prompt/takeover.h"
#include "common/buf.h"
#include "common/json.h"
#include "tests/unit/check.h"

static struct buf seen;

static void on_event(void *user, cJSON *event)
{
    const cJSON *properties = json_get(event, "properties");
    const cJSON *what = json_get(properties, "info");

    (void)user;
    if (!what)
        what = json_get(properties, "part");
    buf_printf(&seen, "%s:%s ", json_get_string(event, "type"), json_get_string(what, "id"));
    cJSON_Delete(event);
}

/* Single quotes in the texts stand for double ones. */
static cJSON *parse(const char *text)
{
    char copy[2048];

    snprintf(copy, sizeof copy, "%s", text);
    for (char *at = copy; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return json_parse(copy, strlen(copy), NULL);
}

static enum takeover_verdict replay(const char *messages_text, const char *status_text)
{
    AUTO_JSON cJSON *messages = parse(messages_text);
    AUTO_JSON cJSON *status = parse(status_text);
    const struct takeover takeover = {.session_id = "S",
                                      .user_message_id = "U",
                                      .started_wall_ms = 1000,
                                      .messages = messages,
                                      .status = status};

    buf_reset(&seen);
    return takeover_replay(&takeover, on_event, NULL);
}

#define OLD \
    "{'info':{'id':'old','role':'assistant','parentID':'u0','time':{'created':1}},'parts':[]}"
#define OWN "{'info':{'id':'U','role':'user','time':{'created':999}},'parts':[]}"
#define ANSWER(time)                                                                   \
    "{'info':{'id':'A','role':'assistant','parentID':'U','time':{" time "}},'parts':[" \
    "{'id':'s','type':'step-start'},{'id':'t','type':'text','text':'hi'},"             \
    "{'id':'c','type':'tool'},{'id':'f','type':'step-finish'}]}"

static void test_takeover(void)
{
    TEST("a prompt that OpenCode never got is to be posted anew") {
        CHECK_INT(replay("[" OLD "]", "{}"), TAKEOVER_NOT_POSTED);
        CHECK_STR(buf_text(&seen), "");
        CHECK_INT(replay("{}", "null"), TAKEOVER_NOT_POSTED);
    }
    TEST("its messages and parts are replayed, without the steps and without older messages") {
        CHECK_INT(replay("[" OLD "," OWN "," ANSWER("'created':1001") "]", "{'S':{'type':'busy'}}"),
                  TAKEOVER_RUNNING);
        CHECK_STR(buf_text(&seen), "message.updated:U message.updated:A message.part.updated:t "
                                   "message.part.updated:c ");
    }
    TEST("an idle session with a finished answer is over") {
        CHECK_INT(replay("[" OWN "," ANSWER("'created':1001,'completed':1002") "]", "{}"),
                  TAKEOVER_ENDED);
    }
    TEST("an idle session with an answer that has no end was abandoned") {
        CHECK_INT(replay("[" OWN "," ANSWER("'created':1001") "]", "{}"), TAKEOVER_ABANDONED);
    }
    TEST("when the status is not known, the answer's end decides") {
        CHECK_INT(replay("[" OWN "," ANSWER("'created':1001") "]", "null"), TAKEOVER_RUNNING);
        CHECK_INT(replay("[" OWN "," ANSWER("'created':1001,'completed':2") "]", "[]"),
                  TAKEOVER_ENDED);
    }
    TEST("an idle session that only has the question is over, not abandoned") {
        CHECK_INT(replay("[" OWN "]", "{'other':{'type':'busy'}}"), TAKEOVER_ENDED);
    }
}

static cJSON *prompt(int number)
{
    char text[64];

    snprintf(text, sizeof text, "{'type':'prompt','messageId':'m%d'}", number);
    return parse(text);
}

static void test_queue(void)
{
    struct prompt_queue queue = {0};
    cJSON *one_more = prompt(99);

    TEST("prompts come out in the order they came in, sixteen at most") {
        for (int i = 0; i < PROMPT_QUEUE_MAX; i++)
            CHECK_INT(prompt_queue_add(&queue, prompt(i)), 0);
        CHECK_INT(prompt_queue_add(&queue, one_more), -1);
        CHECK(prompt_queue_has(&queue, "m3"));
        CHECK(!prompt_queue_has(&queue, "m99"));
        for (int round = 0; round < 3; round++) {
            AUTO_JSON cJSON *first = prompt_queue_take(&queue);
            char wanted[16];

            snprintf(wanted, sizeof wanted, "m%d", round);
            CHECK_STR(json_get_string(first, "messageId"), wanted);
            CHECK_INT(prompt_queue_add(&queue, prompt(100 + round)), 0);
        }
        CHECK(prompt_queue_has(&queue, "m102"));
    }
    prompt_queue_clear(&queue);
    CHECK(!prompt_queue_take(&queue));
    cJSON_Delete(one_more);
}

int main(void)
{
    buf_init(&seen, 64 * 1024);
    test_takeover();
    test_queue();
    buf_free(&seen);
    return check_done();
}
