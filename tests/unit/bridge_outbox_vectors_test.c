/*
 * The recorded scripts of the earlier event forwarder (tests/vectors/families/forwarder.json),
 * where our decisions keep its behaviour. What we do otherwise:
 *
 * - One queue in the order of emission (D-22): unacknowledged events come before newer ones. The
 *   scripts whose results differ for this alone are listed below with ours.
 * - A link asks for one event at a time and a message it was given is as good as sent, so there are
 *   no concurrent, hanging or failing sends: scripts about those ("plan", "gated") have no meaning.
 * - snapshot_ready is not critical (D-21), and a control plane must be known to acknowledge before
 *   it gets anything twice: the scripts' one is.
 */
#include "bridge/control_plane/outbox.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#define SCRIPTS "tests/vectors/families/forwarder.json"
#define DEFAULT_MAX_EVENTS 1000

struct replay {
    struct outbox *outbox;
    const char *bound; /* the connection, or NULL */
    cJSON *wire;       /* connection -> labels */
    bool open;
};

static const struct {
    const char *name, *connection, *ours, *why;
} REPAIRED[] = {
    {"no-double-send", "B",
     "[\"execution_complete:m1 ackId=execution_complete:m1\","
     "\"execution_complete:m2 ackId=execution_complete:m2\",\"token:t\"]",
     "D-22: what was not acknowledged is older and goes first"},
    {"ack-id-same-message-collides", "B", "[\"error:m ackId=error:m\",\"error:m ackId=error:m\"]",
     "D-13: nothing is replaced; the translator gives the second error an id of its own"},
};

static char *label(const cJSON *event)
{
    AUTO_BUF struct buf text = BUF_INIT(4096);
    const char *type = json_get_string(event, "type");
    const char *ack_id = json_get_string(event, "ackId");
    const char *what = json_get_string(event, "messageId");

    if (strcmp(type, "token") == 0)
        what = json_get_string(event, "content");
    if (!what)
        what = json_get_string(event, "branchName");
    buf_printf(&text, "%s:%s%s%s", type, what ? what : "", ack_id ? " ackId=" : "",
               ack_id ? ack_id : "");
    return buf_take(&text);
}

static void pump(struct replay *replay)
{
    AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);

    while (replay->bound && replay->open && outbox_next(replay->outbox, 1, &text)) {
        AUTO_JSON cJSON *event = json_parse(text.data, text.len, NULL);
        char *line = label(event);

        cJSON_AddItemToArray(json_get(replay->wire, replay->bound), cJSON_CreateString(line));
        free(line);
        buf_reset(&text);
    }
}

static void connect_to(struct replay *replay, const char *connection)
{
    replay->bound = connection;
    replay->open = true;
    json_put(replay->wire, connection, cJSON_CreateArray());
    pump(replay);
}

static void disconnect(struct replay *replay)
{
    if (replay->bound)
        outbox_connection_lost(replay->outbox, 1);
    replay->bound = NULL;
}

static const char *repaired(const char *name, const char *connection)
{
    for (size_t i = 0; i < ARRAY_LENGTH(REPAIRED); i++) {
        if (strcmp(REPAIRED[i].name, name) == 0 && strcmp(REPAIRED[i].connection, connection) == 0)
            return REPAIRED[i].ours;
    }
    return NULL;
}

static void check_wire(const struct replay *replay, const char *name, const cJSON *expected)
{
    const cJSON *connection;

    cJSON_ArrayForEach(connection, expected) {
        const char *ours = repaired(name, connection->string);
        char *got = json_to_string(json_get(replay->wire, connection->string));
        char *wanted = ours ? strdup(ours) : json_to_string(connection);

        CHECK_STR(got, wanted);
        free(got);
        free(wanted);
    }
}

static void check_state(const struct replay *replay, const char *name, const cJSON *state)
{
    struct outbox_counts counts = outbox_counts(replay->outbox);

    CHECK_INT(counts.waiting_events, cJSON_GetArraySize(json_get(state, "buffer")));
    if (!repaired(name, "B"))
        CHECK_INT(counts.unacknowledged, cJSON_GetArraySize(json_get(state, "pending")));
    check_wire(replay, name, json_get(state, "wire"));
}

static void run_step(struct replay *replay, const char *name, const cJSON *step)
{
    const char *verb = cJSON_GetStringValue(cJSON_GetArrayItem(step, 0));
    const cJSON *argument = cJSON_GetArrayItem(step, 1);

    if (strcmp(verb, "send") == 0) {
        outbox_push(replay->outbox, cJSON_Duplicate(argument, true), 1, 1);
        pump(replay);
    } else if (strcmp(verb, "bind") == 0) {
        disconnect(replay);
        connect_to(replay, cJSON_GetStringValue(argument));
    } else if (strcmp(verb, "unbind") == 0) {
        disconnect(replay);
    } else if (strcmp(verb, "close") == 0) {
        replay->open = false;
    } else if (strcmp(verb, "ack") == 0) {
        bool known = outbox_acknowledge(replay->outbox, cJSON_GetStringValue(argument));

        CHECK_INT(known, json_get_bool(cJSON_GetArrayItem(step, 2), "known", false));
    } else if (strcmp(verb, "state") == 0) {
        check_state(replay, name, argument);
    } else {
        printf("  unknown step: %s\n", verb);
        CHECK(false);
    }
}

static void run_case(const cJSON *test)
{
    const char *name = json_get_string(test, "name");
    const cJSON *step;
    double max = DEFAULT_MAX_EVENTS;
    struct replay replay = {.wire = cJSON_CreateObject()};

    json_get_number(json_get(test, "config"), "max", &max);
    replay.outbox = outbox_new(&(struct outbox_options){
        .sandbox_id = "sb", .max_events = (size_t)max, .max_bytes = 1024 * 1024});
    outbox_expect_acks(replay.outbox);
    cJSON_ArrayForEach(step, json_get(test, "script"))
        run_step(&replay, name, step);
    outbox_free(replay.outbox);
    cJSON_Delete(replay.wire);
}

/* About sends that take time or fail. */
static bool is_about_sends(const cJSON *test)
{
    const cJSON *connection;

    cJSON_ArrayForEach(connection, json_get(test, "config")) {
        if (json_get(connection, "plan") || json_get(connection, "gated"))
            return true;
    }
    return false;
}

int main(void)
{
    AUTO_BUF struct buf text = BUF_INIT(1024 * 1024);
    AUTO_JSON cJSON *file = NULL;
    const cJSON *test;
    int replayed = 0;

    if (file_read(SCRIPTS, &text, NULL) == 0)
        file = json_parse(text.data, text.len, NULL);
    cJSON_ArrayForEach(test, json_get(file, "cases")) {
        if (is_about_sends(test))
            continue;
        TEST(json_get_string(test, "name")) {
            run_case(test);
        }
        replayed++;
    }
    TEST("the scripts were found") {
        CHECK(replayed >= 8);
    }
    return check_done();
}
