/* A prompt whose events were not all heard: what OpenCode has stored makes good for it. */
#include "tests/unit/check.h"
#include "tests/unit/translate_fixture.h"

#define ABANDONED                                                                            \
    "execution_complete:OpenCode stopped in the middle of this prompt; what it had written " \
    "is kept.:failed\n"
#define NO_OUTPUT \
    "execution_complete:OpenCode completed without emitting assistant output.:failed\n"

#define OWN "{'info':{'id':'U','role':'user','time':{'created':1}},'parts':[]}"
#define OLD                                                                                  \
    "{'info':{'id':'old','role':'assistant','parentID':'u0','time':{'created':1}},'parts':[" \
    "{'id':'o','type':'text','text':'old answer'}]}"
#define DONE "'time':{'created':1754000000001,'completed':1754000000002},'finish':'stop'"
#define OPEN "'time':{'created':1754000000001}"
#define ANSWER(time, parts) \
    "{'info':{'id':'A-U','role':'assistant','parentID':'U'," time "},'parts':[" parts "]}"
#define TEXT(text) "{'id':'T-U','type':'text','text':'" text "','time':{'start':1,'end':2}}"
#define CALL(id, status)                                                                       \
    "{'id':'P" id "','type':'tool','tool':'bash','callID':'" id "','state':{'status':'" status \
    "','input':{'command':'x'},'output':'" id "'}}"
#define BUSY "{'P':{'type':'busy'}}"

/* A tool call of the stream. */
#define HEARD(id, status)                                                                         \
    "{'type':'message.part.updated','properties':{'sessionID':'P','part':{'id':'P" id             \
    "','messageID':'A-U','sessionID':'P','type':'tool','tool':'bash','callID':'" id "','state':{" \
    "'status':'" status "','input':{'command':'x'},'output':'" id "'}}}}"
#define HEARD_STEP                                                                    \
    "{'type':'message.part.updated','properties':{'sessionID':'P','part':{'id':'s1'," \
    "'messageID':'A-U','sessionID':'P','type':'step-finish','cost':1,'reason':'stop'}}}"

static bool resync_as(struct fixture *fixture, const char *messages_text, const char *status_text,
                      bool omits_steps)
{
    cJSON *messages = fixture_json(messages_text), *status = fixture_json(status_text);
    const struct translator_stored stored = {
        .messages = messages, .status = status, .omits_steps = omits_steps};
    bool has_prompt = translator_resync(fixture->translator, &stored, fixture->now, &fixture->sink);

    cJSON_Delete(messages);
    cJSON_Delete(status);
    return has_prompt;
}

static bool resync(struct fixture *fixture, const char *messages, const char *status)
{
    return resync_as(fixture, messages, status, false);
}

/* In the middle of a text when the stream breaks. */
static void open_gap(struct fixture *fixture)
{
    fixture_open(fixture, NULL);
    fixture_answer(fixture, "U");
    fixture_delta(fixture, "Hel");
    translator_on_gap(fixture->translator);
    CHECK_STR(fixture_look(fixture), "token:Hel\n");
}

static void test_texts(void)
{
    struct fixture fixture;

    TEST("a prompt goes on after a gap, and what was written in it arrives") {
        open_gap(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER(OPEN, TEXT("Hello.") "," CALL("c", "running")) "]", BUSY));
        CHECK_STR(fixture_look(&fixture), "token:Hello.\ntool_call:running\n");
        CHECK(!translator_is_done(fixture.translator));
        fixture_feed(&fixture, HEARD("c", "completed"));
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
    TEST("deltas after a gap do not continue a text with a hole; its end does") {
        open_gap(&fixture);
        fixture_delta(&fixture, "rld");
        CHECK(resync(&fixture, "[" OWN "," ANSWER(OPEN, "{'id':'T-U','type':'text','text':''}") "]",
                     BUSY));
        fixture_delta(&fixture, "!");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_feed(
            &fixture,
            "{'type':'message.part.updated','properties':{'part':{'id':'T-U','messageID':"
            "'A-U','sessionID':'P','type':'text','text':'Hello world!','time':{'end':1}}}}");
        fixture_tick(&fixture);
        CHECK_STR(fixture_look(&fixture), "token:Hello world!\n");
        fixture_close(&fixture);
    }
    TEST("a text that began in the gap is not heard from its middle") {
        open_gap(&fixture);
        CHECK(resync(&fixture, "[" OWN "," ANSWER(OPEN, "{'id':'T3','type':'text','text':''}") "]",
                     BUSY));
        fixture_feed(&fixture,
                     "{'type':'message.part.delta','properties':{'sessionID':'P','messageID':'A-U',"
                     "'partID':'T3','field':'text','delta':'the rest'}}");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("a text that began after the gap is heard from its beginning") {
        open_gap(&fixture);
        fixture_feed(&fixture,
                     "{'type':'message.part.updated','properties':{'part':{'id':'T2','messageID':"
                     "'A-U','sessionID':'P','type':'text','text':''}}}");
        CHECK(resync(&fixture, "[" OWN "," ANSWER(OPEN, "{'id':'T2','type':'text','text':''}") "]",
                     BUSY));
        fixture_feed(&fixture,
                     "{'type':'message.part.delta','properties':{'sessionID':'P','messageID':'A-U',"
                     "'partID':'T2','field':'text','delta':'new'}}");
        CHECK_STR(fixture_look(&fixture), "token:new\n");
        fixture_close(&fixture);
    }
    TEST("what was streamed is not replaced by less") {
        open_gap(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER(OPEN, "{'id':'T-U','type':'text','text':'He'}") "]", BUSY));
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
}

#define TASK_RUNNING                                                                       \
    "{'id':'pt','type':'tool','tool':'task','callID':'task1','state':{'status':'running'," \
    "'input':{'d':'x'},'metadata':{'sessionId':'C'}}}"
#define CHILD_ANSWER(time, error, parts)                                                       \
    "[{'info':{'id':'CA','role':'assistant','parentID':'CU','sessionID':'C','time':{'created'" \
    ":" time "}" error "},'parts':[" parts "]}]"
#define CHILD_STEP "{'id':'cs','sessionID':'C','type':'step-finish','cost':2}"
#define SOME_ERROR ",'error':{'name':'APIError','data':{'message':'no credit'}}"
#define RECENT "1754000000005"

/* What the stored messages of the prompt and of its child C tell. */
static void resync_child(struct fixture *fixture, const char *parent, const char *child,
                         bool omits_steps)
{
    cJSON *parent_messages = fixture_json(parent), *messages = fixture_json(child);
    cJSON *found = cJSON_CreateArray();
    const struct translator_stored stored = {.messages = messages, .omits_steps = omits_steps};

    for (int i = 0; i < 2; i++)
        translator_find_children(fixture->translator, "P", parent_messages, found, fixture->now,
                                 &fixture->sink);
    CHECK_INT(cJSON_GetArraySize(found), 1);
    CHECK_STR(cJSON_GetStringValue(cJSON_GetArrayItem(found, 0)), "C");
    translator_resync_child(fixture->translator, "C", &stored, fixture->now, &fixture->sink);
    cJSON_Delete(found);
    cJSON_Delete(messages);
    cJSON_Delete(parent_messages);
}

static void test_children(void)
{
    static const char parent[] = "[" OWN "," ANSWER(OPEN, TASK_RUNNING) "]";
    static const char child[] =
        CHILD_ANSWER(RECENT, SOME_ERROR, CALL("c1", "completed") "," CHILD_STEP);
    struct fixture fixture;

    TEST("what a child did in a gap arrives, owned by its task, once") {
        open_gap(&fixture);
        resync_child(&fixture, parent, child, false);
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\nstep_finish\nerror:no credit\n");
        CHECK_STR(json_get_string(fixture.last, "taskCallId"), "task1");
        CHECK_STR(json_get_string(fixture.last, "childSessionId"), "C");
        CHECK(json_get_bool(fixture.last, "isSubtask", false));
        CHECK(resync(&fixture, parent, BUSY));
        CHECK_STR(fixture_look(&fixture), "tool_call:running\n");
        resync_child(&fixture, parent, child, false);
        fixture_feed(&fixture, "{'type':'session.error','properties':{'sessionID':'C','error':{"
                               "'name':'APIError','data':{'message':'no credit'}}}}");
        fixture_feed(&fixture, "{'type':'message.part.updated','properties':{'sessionID':'C',"
                               "'part':{'id':'cs','messageID':'CA','sessionID':'C','type':"
                               "'step-finish','cost':2}}}");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("of a prompt that was taken over a child's steps and errors do not come twice") {
        open_gap(&fixture);
        resync_child(&fixture, parent, child, true);
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\n");
        fixture_close(&fixture);
    }
    TEST("what a child did for an earlier prompt is not this one's") {
        open_gap(&fixture);
        resync_child(&fixture, parent, CHILD_ANSWER("1", "", CALL("c1", "completed")), false);
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
}

static void test_tools(void)
{
    struct fixture fixture;

    TEST("states of a tool that were sent are not sent again, and none after its end") {
        open_gap(&fixture);
        fixture_feed(&fixture, HEARD("a", "completed"));
        fixture_look(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER(OPEN, CALL("a", "running") "," CALL("b", "completed")) "]",
                     BUSY));
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\n");
        CHECK_STR(json_get_string(fixture.last, "callId"), "b");
        fixture_feed(&fixture, HEARD("b", "running"));
        fixture_feed(&fixture, HEARD("b", "completed"));
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("steps that were missed arrive once, so that no cost is lost or counted twice") {
        open_gap(&fixture);
        fixture_feed(&fixture, HEARD_STEP);
        CHECK_STR(fixture_look(&fixture), "step_finish\n");
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER(OPEN, "{'id':'s1','type':'step-finish','cost':1},"
                                              "{'id':'s2','type':'step-finish','cost':2}") "]",
                     BUSY));
        CHECK_STR(fixture_look(&fixture), "step_finish\n");
        fixture_feed(&fixture, HEARD_STEP);
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("the final fetch brings the end of a call whose beginning was sent (D-24), and no other") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, HEARD("a", "running"));
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_look(&fixture);
        fixture_repair(&fixture,
                       "[" ANSWER(DONE, CALL("a", "completed") "," CALL("b", "completed")) "]");
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
}

static void test_ends(void)
{
    struct fixture fixture;

    TEST("a turn that ended in the gap ends with what is stored of it") {
        open_gap(&fixture);
        CHECK(resync(&fixture, "[" OLD "," OWN "," ANSWER(DONE, TEXT("Hello.")) "]", "{}"));
        CHECK(translator_take_wants(fixture.translator).fetch);
        fixture_repair(&fixture, "[" ANSWER(DONE, TEXT("Hello.")) "]");
        CHECK_STR(fixture_look(&fixture), "token:Hello.\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
    TEST("a turn that failed in the gap fails with its error") {
        open_gap(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER(
                         DONE ",'error':{'name':'APIError','data':{'message':'no key'}}", "") "]",
                     "{}"));
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), "error:no key\nexecution_complete:no key:failed\n");
        fixture_close(&fixture);
    }
    TEST("an idle session with an answer that has no end was lost with OpenCode's process") {
        open_gap(&fixture);
        CHECK(resync(&fixture, "[" OWN "," ANSWER(OPEN, "") "]", "{'other':{'type':'busy'}}"));
        CHECK_STR(fixture_look(&fixture), ABANDONED);
        fixture_close(&fixture);
        open_gap(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER("'time':{'completed':2},'finish':'tool-calls'",
                                        CALL("a", "completed")) "]",
                     "{}"));
        CHECK_STR(fixture_look(&fixture), "tool_call:completed\n" ABANDONED);
        fixture_close(&fixture);
    }
    TEST("a call that was refused ends the turn: nothing was lost") {
        open_gap(&fixture);
        CHECK(resync(&fixture,
                     "[" OWN "," ANSWER("'time':{'completed':2},'finish':'tool-calls'",
                                        CALL("a", "error")) "]",
                     "{'P':{'type':'idle'}}"));
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), "tool_call:error\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
    TEST("no output and no error is a failure") {
        fixture_open(&fixture, NULL);
        translator_on_gap(fixture.translator);
        CHECK(resync(&fixture, "[" OLD "," OWN "]", "{}"));
        fixture_tick(&fixture);
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture), NO_OUTPUT);
        fixture_close(&fixture);
    }
    TEST("when the status is not known, the answer's end decides") {
        open_gap(&fixture);
        CHECK(resync(&fixture, "[" OWN "," ANSWER(OPEN, "") "]", "null"));
        CHECK_STR(fixture_look(&fixture), "");
        CHECK(resync(&fixture, "[" OWN "," ANSWER(DONE, "") "]", "[]"));
        CHECK(translator_take_wants(fixture.translator).fetch);
        fixture_close(&fixture);
    }
}

static void test_taken_over(void)
{
    struct fixture fixture;

    TEST("a prompt that OpenCode never got is said so, and nothing is emitted") {
        fixture_open(&fixture, NULL);
        CHECK(!resync_as(&fixture, "[" OLD "]", BUSY, true));
        CHECK(!resync_as(&fixture, "{}", "null", true));
        CHECK_STR(fixture_look(&fixture), "");
        fixture_close(&fixture);
    }
    TEST("a new bridge sends texts and tools, without the steps and without older messages") {
        fixture_open(&fixture, NULL);
        CHECK(resync_as(&fixture,
                        "[" OLD "," OWN "," ANSWER(
                            OPEN, "{'id':'s','type':'step-start'}," TEXT("hi") "," CALL(
                                      "c", "completed") ",{'id':'f','type':'step-finish'}") "]",
                        BUSY, true));
        CHECK_STR(fixture_look(&fixture), "token:hi\ntool_call:completed\n");
        fixture_close(&fixture);
    }
    TEST("OpenCode gave the prompt another user message: one that was created since is ours") {
        fixture_open(&fixture, NULL);
        CHECK(resync_as(
            &fixture,
            "[{'info':{'id':'V','role':'user','time':{'created':1754000000000}},'parts':[]},"
            "{'info':{'id':'A','role':'assistant','parentID':'V'," OPEN
            "},'parts':[" TEXT("hi") "]}]",
            BUSY, true));
        CHECK_STR(fixture_look(&fixture), "token:hi\n");
        fixture_close(&fixture);
    }
    TEST("an overflow without a text that nothing healed fails the prompt under its own name "
         "(B-563)") {
        fixture_open(&fixture, NULL);
        fixture_answer(&fixture, "U");
        fixture_feed(&fixture, "{'type':'session.error','properties':{'sessionID':'P','error':{"
                               "'name':'ContextOverflowError','data':{'message':''}}}}");
        CHECK_STR(fixture_look(&fixture), "");
        fixture_feed(&fixture, FIXTURE_IDLE);
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture),
                  "error:Context overflow\nexecution_complete:Context overflow:failed\n");
        fixture_close(&fixture);
    }
    TEST("a compaction in the gap is told, and the overflow it healed is no failure") {
        open_gap(&fixture);
        fixture_feed(&fixture, "{'type':'session.error','properties':{'sessionID':'P','error':{"
                               "'name':'ContextOverflowError','data':{'message':'too long'}}}}");
        CHECK(resync(
            &fixture,
            "[" OWN "," ANSWER(
                DONE, TEXT("Hello.")) ","
                                      "{'info':{'id':'C','role':'assistant','parentID':'U','"
                                      "summary':true," DONE
                                      "},'parts':[{'id':'x','type':'text','text':'internal'}]}]",
            "{}"));
        fixture_repair(&fixture, "[]");
        CHECK_STR(fixture_look(&fixture),
                  "token:Hello.\ncontext_compacted\nexecution_complete:ok\n");
        fixture_close(&fixture);
    }
}

int main(void)
{
    test_texts();
    test_tools();
    test_children();
    test_ends();
    test_taken_over();
    return check_done();
}
