/* The outbox: order, acks, resending, bounds; the observer that keeps the journal. */
#include "tests/unit/check.h"
#include "tests/unit/outbox_under_test.h"

#include <stdlib.h>

static cJSON *next_event(void)
{
    struct buf text = BUF_INIT(16 * 1024 * 1024);
    cJSON *event = NULL;

    if (outbox_next(outbox, NOW_MS, &text))
        event = json_parse(text.data, text.len, NULL);
    buf_free(&text);
    return event;
}

static void test_envelope(void)
{
    TEST("every event carries the sandbox's id and the time it was pushed") {
        double timestamp = 0;
        AUTO_JSON cJSON *event = NULL;

        fresh(10, 100000);
        push("{\"type\":\"session_title\",\"title\":\"t\",\"sandboxId\":\"other\"}");
        event = next_event();
        CHECK_STR(json_get_string(event, "sandboxId"), "sb");
        CHECK(json_get_number(event, "timestamp", &timestamp) && timestamp == 1700000000.123);
        CHECK(!json_get(event, "ackId"));
    }
    TEST("a timestamp and an ackId that are there already stay") {
        double timestamp = 0;
        AUTO_JSON cJSON *event = NULL;

        fresh(10, 100000);
        push("{\"type\":\"push_error\",\"timestamp\":7,\"ackId\":\"custom\"}");
        event = next_event();
        CHECK_STR(json_get_string(event, "ackId"), "custom");
        CHECK(json_get_number(event, "timestamp", &timestamp) && timestamp == 7);
    }
    TEST("critical events get an ackId of their type and message, or of sixteen digits") {
        static const struct {
            const char *json, *ack_id;
        } cases[] = {
            {"{\"type\":\"execution_complete\",\"messageId\":\"m\"}", "execution_complete:m"},
            {"{\"type\":\"error\",\"messageId\":\"m\"}", "error:m"},
            {"{\"type\":\"push_complete\"}", "push_complete:0123456789abcdef"},
            {"{\"type\":\"push_error\",\"messageId\":\"\"}", "push_error:0123456789abcdef"},
            {"{\"type\":\"snapshot_ready\"}", NULL}, /* D-21 */
            {"{\"type\":\"tool_call\",\"messageId\":\"m\"}", NULL},
        };

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            AUTO_JSON cJSON *event = NULL;

            fresh(10, 100000);
            push(cases[i].json);
            event = next_event();
            CHECK_STR(json_get_string(event, "ackId"), cases[i].ack_id);
        }
    }
}

static void test_long_events(void)
{
    TEST("the ackId of a long message id is whole: the journal finds the prompt by it") {
        char json[2048], expected[2048], id[1001];
        AUTO_JSON cJSON *event = NULL;

        memset(id, 'm', sizeof id - 1);
        id[sizeof id - 1] = '\0';
        snprintf(json, sizeof json, "{\"type\":\"execution_complete\",\"messageId\":\"%s\"}", id);
        snprintf(expected, sizeof expected, "execution_complete:%s", id);
        fresh(10, 100000);
        push(json);
        event = next_event();
        CHECK_STR(json_get_string(event, "ackId"), expected);
    }
    TEST("an event above the limit is cut, with a mark, and stays JSON (D-40)") {
        size_t len = 3 * 1024 * 1024;
        char *output = malloc(len + 1);
        AUTO_JSON cJSON *event = cJSON_CreateObject();
        AUTO_JSON cJSON *sent = NULL;
        const char *cut;

        memset(output, 'x', len);
        output[len] = '\0';
        json_add_string(event, "type", "tool_call");
        json_add_string(event, "output", output);
        fresh(10, 16 * 1024 * 1024);
        outbox_push(outbox, cJSON_Duplicate(event, true), WALL_MS, RANDOM);
        CHECK(outbox_counts(outbox).waiting_bytes <= 900 * 1024);
        sent = next_event();
        cut = json_get_string(sent, "output");
        CHECK(cut && strlen(cut) > 100 * 1024 && strstr(cut, "[cut here by the sandbox"));
        free(output);
    }
    TEST("an event that cannot be printed is dropped, counted, and blocks nothing") {
        fresh(10, 100000);
        push("{\"no\":\"type\"}");
        push_token("a");
        CHECK_INT(outbox_counts(outbox).dropped, 1);
        CHECK_STR(drain(), "token:a ");
    }
}

static void test_acks(void)
{
    TEST("events wait without a connection and go out in the order they happened") {
        fresh(10, 100000);
        push_token("a");
        push_completion("m1");
        push_token("b");
        CHECK_STR(drain(), "token:a execution_complete:m1 token:b ");
        CHECK_INT(outbox_counts(outbox).unacknowledged, 1);
        CHECK_INT(outbox_counts(outbox).waiting_events, 0);
    }
    TEST("an ack is known once") {
        fresh(10, 100000);
        push_completion("m1");
        drain();
        CHECK(outbox_acknowledge(outbox, "execution_complete:m1"));
        CHECK(!outbox_acknowledge(outbox, "execution_complete:m1"));
        CHECK_INT(outbox_counts(outbox).unacknowledged, 0);
    }
    TEST("an ack of an event that was never sent does not take it out of the queue") {
        fresh(10, 100000);
        push_completion("m1");
        CHECK(!outbox_acknowledge(outbox, "execution_complete:m1"));
        CHECK_STR(drain(), "execution_complete:m1 ");
    }
    TEST("unacknowledged events go out again, before what waits, in their order (D-22)") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        push_completion("m2");
        push_completion("m3");
        drain();
        outbox_acknowledge(outbox, "execution_complete:m2");
        push_token("new");
        CHECK_INT(outbox_connection_lost(outbox, NOW_MS), 2);
        CHECK_STR(drain(), "execution_complete:m1 execution_complete:m3 token:new ");
    }
    TEST("events that are not critical are sent once, whatever became of the connection") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_token("a");
        drain();
        CHECK_INT(outbox_connection_lost(outbox, NOW_MS), 0);
        CHECK_STR(drain(), "");
    }
}

static void test_giving_up(void)
{
    TEST("nothing is sent again to a control plane that never acknowledged (X-07)") {
        fresh(10, 100000);
        push_completion("m1");
        drain();
        CHECK_INT(outbox_connection_lost(outbox, NOW_MS), 0);
        CHECK_STR(drain(), "");
    }
    TEST("a late ack takes an event out of the queue before it is sent again") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        drain();
        outbox_connection_lost(outbox, NOW_MS);
        CHECK(outbox_acknowledge(outbox, "execution_complete:m1"));
        CHECK_STR(drain(), "");
    }
    TEST("many lost connections alone do not lose an event: a control plane may die again and "
         "again") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        for (int i = 0; i < 10 * OUTBOX_SENDS_MAX; i++) {
            CHECK_STR(drain(), "execution_complete:m1 ");
            CHECK_INT(outbox_connection_lost(outbox, NOW_MS + OUTBOX_RESEND_LIMIT_MS), 1);
        }
        CHECK_INT(outbox_counts(outbox).dropped, 0);
    }
    TEST("an hour alone does not lose an event: the control plane may have been away") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        for (int i = 0; i < OUTBOX_SENDS_MAX - 1; i++) {
            CHECK_STR(drain(), "execution_complete:m1 ");
            CHECK_INT(outbox_connection_lost(outbox, NOW_MS + 2 * OUTBOX_RESEND_LIMIT_MS), 1);
        }
        CHECK_INT(outbox_counts(outbox).dropped, 0);
    }
    TEST("after both, six sends and an hour, it is given up, and that is told (D-21)") {
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        for (int i = 0; i < OUTBOX_SENDS_MAX; i++) {
            CHECK_STR(drain(), "execution_complete:m1 ");
            outbox_connection_lost(outbox, NOW_MS + OUTBOX_RESEND_LIMIT_MS + 1);
        }
        CHECK_STR(drain(), "");
        CHECK_INT(outbox_counts(outbox).dropped, 1);
        CHECK_STR(buf_text(&drops), "execution_complete:m1 ");
    }
}

static void test_acks_bound(void)
{
    TEST("at most 256 events wait for acks; the oldest is forgotten") {
        fresh(1000, 1000000);
        for (int i = 0; i < OUTBOX_UNACKNOWLEDGED_MAX + 1; i++) {
            char id[16];

            snprintf(id, sizeof id, "m%d", i);
            push_completion(id);
        }
        drain();
        CHECK_INT(outbox_counts(outbox).unacknowledged, OUTBOX_UNACKNOWLEDGED_MAX);
        CHECK_STR(buf_text(&drops), "execution_complete:m0 ");
        CHECK(!outbox_acknowledge(outbox, "execution_complete:m0"));
        CHECK(outbox_acknowledge(outbox, "execution_complete:m1"));
    }
}

static void push_large_error(const char *message_id)
{
    static char text[OUTBOX_REFUSABLE_MIN_BYTES + 1];
    cJSON *event = cJSON_CreateObject();

    memset(text, 'x', sizeof text - 1);
    json_add_string(event, "type", "error");
    json_add_string(event, "messageId", message_id);
    json_add_string(event, "error", text);
    outbox_push(outbox, event, WALL_MS, RANDOM);
}

static void test_refused(void)
{
    TEST("what the control plane refused as too big is not sent again, small ones are (D-40)") {
        fresh(10, 1000000);
        outbox_expect_acks(outbox);
        push_completion("m1");
        push_large_error("m2");
        push_completion("m2");
        drain();
        CHECK(outbox_drop_refused(outbox) > OUTBOX_REFUSABLE_MIN_BYTES);
        CHECK_INT(outbox_connection_lost(outbox, NOW_MS), 2);
        CHECK_STR(drain(), "execution_complete:m1 execution_complete:m2 ");
        outbox_drop_refused(outbox);
        CHECK_INT(outbox_connection_lost(outbox, NOW_MS), 2);
        CHECK_INT(outbox_counts(outbox).dropped, 1);
    }
}

static void test_bounds(void)
{
    TEST("a full queue drops the oldest event that is not critical") {
        fresh(3, 100000);
        push_completion("m1");
        push_token("a");
        push("{\"type\":\"step_finish\",\"messageId\":\"s\"}");
        push_completion("m2");
        CHECK_STR(drain(), "execution_complete:m1 step_finish:s execution_complete:m2 ");
        CHECK_INT(outbox_counts(outbox).dropped, 1);
        CHECK_STR(buf_text(&drops), "? ");
    }
    TEST("when all are critical the oldest goes") {
        fresh(2, 100000);
        push_completion("m1");
        push_completion("m2");
        push_completion("m3");
        CHECK_STR(drain(), "execution_complete:m2 execution_complete:m3 ");
        CHECK(strstr(buf_text(&notes), "-execution_complete:m1"));
        CHECK_STR(buf_text(&drops), "execution_complete:m1 ");
    }
    TEST("what there is much of goes first: an answer's newest text and what is told once stay") {
        fresh(5, 100000);
        push_token("the plan");
        push_token("an answer");
        push("{\"type\":\"step_finish\",\"messageId\":\"s\"}");
        for (int i = 0; i < 100; i++)
            push("{\"type\":\"tool_call\",\"messageId\":\"t\"}");
        CHECK_STR(drain(), "token:an answer step_finish:s tool_call:t tool_call:t tool_call:t ");
        CHECK_INT(outbox_counts(outbox).dropped, 98);
    }
    TEST("a critical event never goes for one that is not") {
        fresh(2, 100000);
        push_completion("m1");
        push_completion("m2");
        push_token("a");
        push("{\"type\":\"tool_call\",\"messageId\":\"t\"}");
        CHECK_STR(drain(), "execution_complete:m1 execution_complete:m2 ");
        CHECK_STR(buf_text(&drops), "? ? ");
    }
    TEST("a heartbeat stands in front of what waits, and never twice: a slow reader hears that we "
         "live") {
        fresh(3, 100000);
        push_completion("m1");
        push("{\"type\":\"heartbeat\",\"messageId\":\"old\"}");
        push_completion("m2");
        push("{\"type\":\"heartbeat\",\"messageId\":\"new\"}");
        push_token("a");
        CHECK_STR(drain(), "heartbeat:new execution_complete:m1 execution_complete:m2 ");
        push("{\"type\":\"heartbeat\",\"messageId\":\"next\"}");
        CHECK_STR(drain(), "heartbeat:next ");
    }
    TEST("the bound in bytes holds, whatever the number of events") {
        char text[1001];

        memset(text, 'x', 1000);
        text[1000] = '\0';
        fresh(1000, 10000);
        for (int i = 0; i < 100; i++) {
            text[0] = (char)('A' + i % 26);
            push_token(text);
            CHECK(outbox_counts(outbox).waiting_bytes <= 10000);
        }
        CHECK(outbox_counts(outbox).waiting_events >= 8);
    }
}

static void test_observer(void)
{
    TEST("the observer follows every critical event from the queue to its ack") {
        fresh(10, 100000);
        push_token("a");
        push_completion("m");
        CHECK_STR(buf_text(&notes), "+execution_complete:m ");
        drain();
        outbox_acknowledge(outbox, "execution_complete:m");
        CHECK_STR(buf_text(&notes),
                  "+execution_complete:m >execution_complete:m -execution_complete:m ");
    }
    TEST("a restored event that was not sent goes out first") {
        static const char text[] = "{\"type\":\"error\",\"messageId\":\"old\"}";

        fresh(10, 100000);
        outbox_restore(outbox, "error:old", text, sizeof text - 1, false);
        push_completion("new");
        CHECK_STR(drain(), "error:old execution_complete:new ");
    }
    TEST("a restored event that was sent goes out again only where acks are known") {
        static const char text[] = "{\"type\":\"error\",\"messageId\":\"old\"}";

        fresh(10, 100000);
        outbox_restore(outbox, "error:old", text, sizeof text - 1, true);
        CHECK_STR(drain(), "");
        fresh(10, 100000);
        outbox_expect_acks(outbox);
        outbox_restore(outbox, "error:old", text, sizeof text - 1, true);
        CHECK_STR(drain(), "error:old ");
        CHECK(outbox_acknowledge(outbox, "error:old"));
    }
}

int main(void)
{
    test_envelope();
    test_long_events();
    test_acks();
    test_giving_up();
    test_acks_bound();
    test_refused();
    test_bounds();
    test_observer();
    put_away();
    return check_done();
}
