#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

#define NO_OUTPUT \
    "execution_complete:OpenCode completed without emitting assistant output.:failed\n"
#define USER_TWO                                                                               \
    "{'type':'message.updated','properties':{'sessionID':'P','info':{'id':'U2','role':'user'," \
    "'sessionID':'P'}}}"

static void test_stale_events(void)
{
    struct fixture fixture;

    TEST("an idle before the prompt was seen to live does not end it (D-02)") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture.now += 5000;
        translator_tick(fixture.translator, fixture.now, &fixture.sink);
        CHECK(!translator_take_wants(fixture.translator).fetch);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "hi");
        fixture_feed(&fixture, FIXTURE_IDLE);
        CHECK(translator_take_wants(fixture.translator).fetch);
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), "token:hi\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
    TEST("the abort of a cancelled prompt, reported late, does not fail the next one") {
        fixture_open(&fixture, NULL);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        fixture_prompt(&fixture, 2);
        fixture_feed(&fixture, FIXTURE_ABORTED);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_feed(&fixture, USER_TWO);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture_answer(&fixture, "U2");
        fixture_look(&fixture);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_tick(&fixture);
        CHECK(translator_take_wants(fixture.translator).fetch);
        fixture_repair(&fixture, "[{'info':{'id':'A-U2','role':'assistant','parentID':'U2'},"
                                 "'parts':[{'id':'t','type':'text','text':'second'}]}]");
        CHECK_STR(fixture_look(&fixture), "token:second\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
}

static void test_stale_errors(void)
{
    struct fixture fixture;

    TEST("that abort is not taken for the next one's, even when this was seen to live") {
        fixture_open(&fixture, NULL);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        fixture_prompt(&fixture, 2);
        fixture_feed(&fixture, USER_TWO);
        fixture_look(&fixture);
        fixture_feed(&fixture, FIXTURE_ABORTED);
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST(
        "another error after a cancelled prompt waits for a sign of life, and counts without one") {
        fixture_open(&fixture, NULL);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        fixture_prompt(&fixture, 2);
        fixture_look(&fixture);
        fixture_feed(&fixture, FIXTURE_ERROR("no such agent"));
        CHECK_STR(fixture_look(&fixture), "");
        fixture_tick(&fixture);
        CHECK_STR(fixture_look(&fixture),
                  "error:no such agent\nexecution_complete:no such agent:failed\n");
        fixture_close(&fixture);
    }
}

/* What OpenCode answers when it is asked what it does. */
static void see_status(struct fixture *fixture, const char *text)
{
    cJSON *status = text ? fixture_json(text) : NULL;

    CHECK(translator_take_wants(fixture->translator).status);
    translator_see_status(fixture->translator, status, fixture->now, &fixture->sink);
    cJSON_Delete(status);
}

static void test_never_alive(void)
{
    static const struct {
        const char *first, *status;
    } ended[] = {{NULL, "{}"},
                 {NULL, "{'P':{'type':'idle'}}"},
                 {FIXTURE_IDLE, "{'Q':{}}"},
                 {"{'type':'message.updated','properties':{'info':{'id':'U','role':'user',"
                  "'sessionID':'P'}}}", /* stored, and never run */
                  "{}"}};
    static const char *const unclear[] = {"{'P':{'type':'busy'}}", "{'P':{'type':'retry'}}", NULL};
    struct fixture fixture;

    TEST("a prompt that OpenCode took and does not work on ends, heartbeats or not (D-02)") {
        for (size_t i = 0; i < sizeof(ended) / sizeof(ended[0]); i++) {
            fixture_open(&fixture, NULL);
            if (ended[i].first)
                fixture_feed(&fixture, ended[i].first);
            fixture.now += TRANSLATOR_DEFAULT_LIMITS.alive_ms - 1;
            translator_heard(fixture.translator, fixture.now);
            translator_tick(fixture.translator, fixture.now, &fixture.sink);
            CHECK(!translator_take_wants(fixture.translator).status);
            fixture_tick(&fixture);
            see_status(&fixture, ended[i].status);
            CHECK(translator_take_wants(fixture.translator).fetch);
            fixture_repair(&fixture, "[]");
            CHECK_STR(fixture_look(&fixture), NO_OUTPUT);
            fixture_close(&fixture);
        }
    }
    TEST("one that OpenCode works on without a word is asked after again, and goes on") {
        fixture_open(&fixture, NULL);
        for (size_t i = 0; i < sizeof(unclear) / sizeof(unclear[0]); i++) {
            uint64_t asked_ms = fixture.now;

            fixture_tick(&fixture);
            CHECK_INT(fixture.now, asked_ms + TRANSLATOR_DEFAULT_LIMITS.alive_ms);
            see_status(&fixture, unclear[i]);
        }
        CHECK_STR(fixture_look(&fixture), "");
        CHECK(!translator_is_done(fixture.translator));
        fixture_close(&fixture);
    }
    TEST("an answer that comes when the prompt has begun after all changes nothing") {
        fixture_open(&fixture, NULL);
        fixture_tick(&fixture);
        fixture_feed(&fixture, FIXTURE_BUSY);
        see_status(&fixture, "{}");
        CHECK(!translator_take_wants(fixture.translator).fetch);
        fixture_close(&fixture);
    }
}

static void test_idle_without_output(void)
{
    struct fixture fixture;

    TEST("an error right after an idle without output is the prompt's result") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_feed(&fixture, FIXTURE_ERROR("broken tool"));
        CHECK_STR(fixture_look(&fixture),
                  "error:broken tool\nexecution_complete:broken tool:failed\n");
        fixture_close(&fixture);
    }
    TEST("an idle without output and without anything after it fails the prompt") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_tick(&fixture);
        CHECK(translator_take_wants(fixture.translator).fetch);
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), NO_OUTPUT);
        fixture_close(&fixture);
    }
    TEST("an error that is only in the stored message is told") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_tick(&fixture);
        fixture_repair(&fixture, "[{'info':{'id':'A','role':'assistant','parentID':'U','error':"
                                 "{'name':'X','data':{'message':'lost'}}},'parts':[]}]");
        CHECK_STR(fixture_look(&fixture), "error:lost\nexecution_complete:lost:failed\n");
        fixture_close(&fixture);
    }
}

static void test_silence(void)
{
    struct fixture fixture;
    struct translator_limits limits = TRANSLATOR_DEFAULT_LIMITS;

    TEST("a second limit is on the session's own events, and off unless it is set (D-23)") {
        limits.silence_ms = 60000;
        fixture_open(&fixture, &limits);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture.now += limits.silence_ms - 1;
        fixture_feed(&fixture, "{'type':'server.heartbeat','properties':{}}");
        fixture_feed(&fixture, "{'type':'session.idle','properties':{'sessionID':'other'}}");
        CHECK_INT(translator_deadline(fixture.translator), fixture.now + 1);
        fixture_feed(&fixture, FIXTURE_BUSY);
        CHECK_INT(translator_deadline(fixture.translator), fixture.now + limits.silence_ms);
        fixture.now += 10;
        translator_not_listening(fixture.translator, fixture.now);
        fixture_tick(&fixture);
        CHECK_STR(fixture.note, "bridge.session_inactivity_timeout");
        CHECK_INT(fixture_note_number(&fixture, "elapsed_ms"), 2 * limits.silence_ms + 9);
        CHECK_STR(translator_take_wants(fixture.translator).abort_reason,
                  "session_inactivity_timeout");
        fixture_repair(&fixture, NULL);
        CHECK_STR(fixture_look(&fixture),
                  "execution_complete:OpenCode reported nothing about this prompt for 60s. "
                  "Total elapsed: 120s:failed\n");
        fixture_close(&fixture);
    }
}

static void test_limits(void)
{
    struct fixture fixture;
    struct translator_limits limits = TRANSLATOR_DEFAULT_LIMITS;
    struct translator_wants wants;

    TEST("bytes of the stream restart the inactivity limit, then it ends the prompt (B-590)") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, FIXTURE_BUSY);
        fixture.now += limits.inactivity_ms - 1;
        translator_heard(fixture.translator, fixture.now);
        CHECK_INT(translator_deadline(fixture.translator), fixture.now + limits.inactivity_ms);
        fixture_tick(&fixture);
        wants = translator_take_wants(fixture.translator);
        CHECK_STR(wants.abort_reason, "inactivity_timeout");
        CHECK_STR(fixture.note, "bridge.sse_inactivity_timeout");
        CHECK_INT(fixture_note_number(&fixture, "timeout_ms"), 120000);
        CHECK_INT(fixture_note_number(&fixture, "elapsed_ms"), 239999);
        CHECK_STR(json_get_string(fixture.note_fields, "operation"), "bridge.sse");
        CHECK(wants.fetch);
        CHECK(!translator_take_wants(fixture.translator).fetch);
        fixture_repair(&fixture, NULL);
        CHECK_STR(fixture_look(&fixture),
                  "execution_complete:SSE stream inactive for 120s (no data received). "
                  "Total elapsed: 240s:failed\n");
        fixture_close(&fixture);
    }
    TEST("seconds in texts are rounded, halves to even") {
        limits.max_duration_ms = 2500;
        fixture_open(&fixture, &limits);
        fixture_tick(&fixture);
        fixture_repair(&fixture, NULL);
        CHECK_STR(fixture_look(&fixture),
                  "execution_complete:Prompt exceeded max duration of 2s.:failed\n");
        fixture_close(&fixture);
    }
    TEST("a final fetch that is never answered does not keep the prompt open") {
        fixture_open(&fixture, NULL);
        translator_stream_lost(fixture.translator, fixture.now, &fixture.sink);
        CHECK(!translator_is_done(fixture.translator));
        fixture_tick(&fixture);
        CHECK(translator_is_done(fixture.translator));
        CHECK_INT(translator_outcome(fixture.translator).result, TRANSLATOR_FAILED);
        fixture_close(&fixture);
    }
    TEST("no deadline without a prompt") {
        fixture_open(&fixture, NULL);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        CHECK(translator_deadline(fixture.translator) == UINT64_MAX);
        fixture_close(&fixture);
    }
}

#define CREATED(id, parent)                                                          \
    "{'type':'session.created','properties':{'sessionID':'" id "','info':{'id':'" id \
    "','parentID':'" parent "'}}}"
#define ASKED(id, session) \
    "{'type':'permission.asked','properties':{'id':'" id "','sessionID':'" session "'}}"
#define ANSWERED(id, session)                                                             \
    "{'type':'message.updated','properties':{'sessionID':'" session "','info':{'id':'" id \
    "','role':'assistant','sessionID':'" session "'}}}"
#define TOOL(message, session, tool, call, metadata)                                              \
    "{'type':'message.part.updated','properties':{'sessionID':'" session "','part':{'id':'p" call \
    "','messageID':'" message "','sessionID':'" session "','type':'tool','tool':'" tool           \
    "','callID':'" call "','state':{'status':'running','input':{'a':1},'metadata':" metadata      \
    "}}}}"
#define TASK(message, session, call, child) \
    TOOL(message, session, "task", call, "{'sessionId':'" child "'}")

static void test_sub_sessions(void)
{
    struct fixture fixture;

    TEST("a permission that a sub-task of a sub-task asks for is answered too (D-51)") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture, CREATED("child", "P"));
        fixture_feed(&fixture, CREATED("grandchild", "child"));
        fixture_feed(&fixture, CREATED("deeper", "grandchild"));
        fixture_feed(&fixture, CREATED("stranger", "other"));
        fixture_feed(&fixture, ASKED("per_1", "deeper"));
        fixture_feed(&fixture, ASKED("per_2", "stranger"));
        CHECK_STR(fixture_look(&fixture), "ask:permission:per_1\n");
        fixture_close(&fixture);
    }
    TEST("what a sub-task of a sub-task does belongs to the task at the top (D-51)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, TASK("A-U", "P", "top", "child"));
        fixture_feed(&fixture, ANSWERED("B", "child"));
        fixture_feed(&fixture, TASK("B", "child", "inner", "grandchild"));
        fixture_feed(&fixture, ANSWERED("C", "grandchild"));
        fixture_look(&fixture);
        fixture_feed(&fixture, TOOL("C", "grandchild", "bash", "c", "{}"));
        CHECK_STR(fixture_look(&fixture), "tool_call:running\n");
        CHECK_STR(json_get_string(fixture.last, "taskCallId"), "top");
        CHECK_STR(json_get_string(fixture.last, "childSessionId"), "grandchild");
        fixture_close(&fixture);
    }
}

static void test_completion(void)
{
    struct fixture fixture;

    TEST("one completion, whatever comes after it") {
        fixture_open(&fixture, NULL);
        translator_fail(fixture.translator, "no", fixture.now, &fixture.sink);
        CHECK_STR(fixture_look(&fixture), "execution_complete:no:failed\n");
        translator_fail(fixture.translator, "again", fixture.now, &fixture.sink);
        translator_cancel(fixture.translator, fixture.now, &fixture.sink);
        translator_stream_lost(fixture.translator, fixture.now, &fixture.sink);
        fixture_feed(&fixture, FIXTURE_ERROR("late"));
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), "");
        CHECK_STR(translator_outcome(fixture.translator).error, "no");
        fixture_close(&fixture);
    }
    TEST("a second prompt is refused while one runs (D-16)") {
        fixture_open(&fixture, NULL);
        CHECK_INT(translator_begin(fixture.translator, "m-2", fixture.now), -1);
        fixture_close(&fixture);
    }
    TEST("a permission that nobody can give is asked back to the actor (D-23)") {
        fixture_open(&fixture, NULL);
        fixture_feed(&fixture,
                     "{'type':'permission.asked','properties':{'id':'per_1','sessionID':'P'}}");
        fixture_feed(&fixture,
                     "{'type':'question.asked','properties':{'id':'que_1','sessionID':'other'}}");
        CHECK_STR(fixture_look(&fixture), "ask:permission:per_1\n");
        fixture_close(&fixture);
    }
}

static void test_recalled_errors(void)
{
    struct fixture fixture;

    TEST("an error that an earlier bridge sent is not sent again, fails the prompt and is counted "
         "(D-13)") {
        fixture_open(&fixture, NULL);
        translator_begin(fixture.translator, "m1", fixture.now);
        translator_recall_error(fixture.translator, "no credit");
        translator_recall_error(fixture.translator, NULL);
        translator_start(fixture.translator, "U", FIXTURE_WALL_MS, fixture.now);
        fixture_feed(&fixture, "{'type':'message.updated','properties':{'info':{'id':'A-U',"
                               "'sessionID':'P','role':'assistant','parentID':'U'}}}");
        fixture_feed(&fixture, "{'type':'session.error','properties':{'sessionID':'P','error':"
                               "{'name':'APIError','data':{'message':'no credit'}}}}");
        CHECK_STR(fixture_look(&fixture), "execution_complete:no credit:failed\n");
        fixture_close(&fixture);
    }
}

static void test_repair(void)
{
    struct fixture fixture;

    TEST("an answer to a fetch that nobody asked for changes nothing") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_repair(&fixture, "[{'info':{'id':'A-U','role':'assistant','parentID':'U'},"
                                 "'parts':[{'id':'T-U','type':'text','text':'x'}]}]");
        CHECK_STR(fixture_look(&fixture), "");
        CHECK(!translator_is_done(fixture.translator));
        fixture_close(&fixture);
    }
    TEST("a disconnect never replaces streamed text by less") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "streamed");
        translator_stream_lost(fixture.translator, fixture.now, &fixture.sink);
        CHECK_STR(translator_take_wants(fixture.translator).abort_reason, "stream_lost");
        fixture_look(&fixture);
        fixture_repair(&fixture, "[{'info':{'id':'A-U','role':'assistant','parentID':'U'},"
                                 "'parts':[{'id':'T-U','type':'text','text':'str'}]}]");
        CHECK_STR(fixture_look(&fixture),
                  "execution_complete:OpenCode event stream disconnected before completion; "
                  "partial output was preserved when available.:failed\n");
        fixture_close(&fixture);
    }
    TEST("after a correction of an earlier text the last text is the last token (B-421)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_delta(&fixture, "plan  ");
        fixture_feed(&fixture,
                     "{'type':'message.part.updated','properties':{'part':{'id':'T2',"
                     "'messageID':'A-U','sessionID':'P','type':'text','text':'answer'}}}");
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_look(&fixture);
        fixture_repair(&fixture, "[{'info':{'id':'A-U','role':'assistant','parentID':'U'},"
                                 "'parts':[{'id':'T-U','type':'text','text':'plan'},"
                                 "{'id':'T2','type':'text','text':'answer'}]}]");
        CHECK_STR(fixture_look(&fixture), "token:plan\ntoken:answer\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
}

int main(void)
{
    test_stale_events();
    test_stale_errors();
    test_never_alive();
    test_idle_without_output();
    test_silence();
    test_limits();
    test_sub_sessions();
    test_completion();
    test_recalled_errors();
    test_repair();
    return check_done();
}
