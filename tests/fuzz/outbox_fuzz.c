/*
 * Fuzzer of the outbox against a model: random pushes, connections, losses, acks and kills, where a
 * killed outbox is followed by one that is restored from the journal, as bridge_life.c does.
 *
 * - Within one connection critical events come in the order they happened.
 * - One that was never handed over is given up only when the queue is full of critical ones: every
 *   other is delivered at least once, and ends acknowledged.
 * - The observer hears of each exactly once that it is there and once that it is gone, and the
 *   journal that it keeps holds exactly what is there.
 * - The bounds hold, in events and in bytes.
 */
#include "bridge/control_plane/outbox.h"
#include "bridge/journal/journal_contents.h"
#include "common/json.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 8
#define MAX_BYTES 2048
#define CRITICALS_MAX 512
#define CRITICAL_BYTES_MAX 192 /* as printed: MAX_EVENTS of them fit MAX_BYTES */
#define TOKEN_MAX 200
#define EVENT_BYTES_MAX (TOKEN_MAX + 128)
#define JOURNAL_MAX ((size_t)4 * 1024 * 1024)
#define SANDBOX "sb"
#define SESSION "session"

enum op { OP_CRITICAL, OP_TOKEN, OP_TOOL, OP_SEND, OP_ACK, OP_LOSE, OP_EXPECT, OP_KILL, OP_COUNT };

struct model {
    struct outbox *outbox;
    struct buf journal;        /* the file */
    bool there[CRITICALS_MAX]; /* added and not gone */
    bool sent[CRITICALS_MAX];  /* there, and handed over to a connection that may still be open */
    bool
        on_wire[CRITICALS_MAX]; /* handed to this connection: lost with it, for all that is known */
    bool delivered[CRITICALS_MAX];
    bool gone[CRITICALS_MAX];
    bool pressed_out[CRITICALS_MAX]; /* gone because the queue was full of critical ones */
    bool taking_in;                  /* a push or a restore is going on */
    int count;
    int newest_sent; /* on this connection */
    uint64_t now;
};

static int number_of(const char *ack_id)
{
    const char *colon = strchr(ack_id, ':');
    int number = colon ? atoi(colon + 1) : -1;

    require(number >= 0 && number < CRITICALS_MAX);
    return number;
}

static int waiting_criticals(const struct model *model)
{
    int count = 0;

    for (int i = 0; i < model->count; i++)
        count += model->there[i] && !model->sent[i];
    return count;
}

/* ---- the observer ---- */

static void write_down(struct model *model, const char *op, const char *ack_id, const char *text)
{
    AUTO_JSON cJSON *record = cJSON_CreateObject();

    json_add_string(record, "op", op);
    json_add_string(record, "ackId", ack_id);
    if (text)
        json_put(record, "event", cJSON_CreateRaw(text));
    journal_print_record(record, &model->journal);
}

static void on_added(void *user, const char *ack_id, const char *text, size_t len)
{
    struct model *model = user;
    int number = number_of(ack_id);

    require(strlen(text) == len && len <= CRITICAL_BYTES_MAX);
    require(!model->there[number] && !model->gone[number]);
    model->there[number] = true;
    write_down(model, "event", ack_id, text);
}

static void on_sent(void *user, const char *ack_id)
{
    struct model *model = user;

    require(model->there[number_of(ack_id)]);
    model->sent[number_of(ack_id)] = true;
    write_down(model, "sent", ack_id, NULL);
}

static void on_gone(void *user, const char *ack_id)
{
    struct model *model = user;
    int number = number_of(ack_id);

    require(model->there[number]);
    if (!model->delivered[number]) {
        require(model->taking_in && waiting_criticals(model) >= MAX_EVENTS);
        model->pressed_out[number] = true;
    }
    model->there[number] = false;
    model->gone[number] = true;
    write_down(model, "gone", ack_id, NULL);
}

/* ---- a process, and the next one ---- */

static void start(struct model *model)
{
    const struct outbox_options options = {
        .sandbox_id = SANDBOX,
        .max_events = MAX_EVENTS,
        .max_bytes = MAX_BYTES,
        .observer = {.user = model, .on_added = on_added, .on_sent = on_sent, .on_gone = on_gone}};

    model->outbox = outbox_new(&options);
}

static void check_journal(const struct model *model, const struct journal_contents *contents)
{
    int previous = -1, count = 0;

    for (const struct journal_event *event = contents->events; event; event = event->next) {
        int number = number_of(event->ack_id);

        require(number > previous && model->there[number]);
        require(!model->delivered[number] || event->sent);
        previous = number;
        count++;
    }
    for (int i = 0; i < model->count; i++)
        count -= model->there[i];
    require(count == 0);
}

static void kill_and_start(struct model *model)
{
    bool expected = outbox_expects_acks(model->outbox);
    struct journal_contents contents = {0};

    outbox_free(model->outbox);
    memset(model->sent, 0, sizeof model->sent);
    memset(model->on_wire, 0, sizeof model->on_wire);
    model->newest_sent = -1;
    require(journal_contents_read(&contents, model->journal.data, model->journal.len, SANDBOX,
                                  SESSION) == 0);
    check_journal(model, &contents);
    buf_reset(&model->journal); /* rewritten, as by journal_open() */
    journal_contents_print(&contents, SANDBOX, SESSION, &model->journal);
    start(model);
    if (expected) /* the journal's record "acks" */
        outbox_expect_acks(model->outbox);
    model->taking_in = true;
    for (const struct journal_event *event = contents.events; event; event = event->next) {
        outbox_restore(model->outbox, event->ack_id, event->text, strlen(event->text), event->sent);
        model->sent[number_of(event->ack_id)] = event->sent && !expected;
    }
    model->taking_in = false;
    journal_contents_clear(&contents);
}

/* ---- what happens to it ---- */

static void push(struct model *model, const char *type, const char *message_id, size_t size)
{
    cJSON *event = cJSON_CreateObject();
    char content[TOKEN_MAX + 1];

    memset(content, 'c', sizeof content);
    content[size % TOKEN_MAX] = '\0';
    json_add_string(event, "type", type);
    json_add_string(event, "messageId", message_id);
    json_add_string(event, "content", content);
    model->taking_in = true;
    outbox_push(model->outbox, event, 1, 1);
    model->taking_in = false;
}

static void push_critical(struct model *model)
{
    char id[16];

    if (model->count == CRITICALS_MAX)
        return;
    snprintf(id, sizeof id, "%d", model->count++);
    push(model, "execution_complete", id, 0);
}

static bool send_one(struct model *model)
{
    AUTO_BUF struct buf text = BUF_INIT((size_t)64 * 1024);
    bool was_sent = outbox_next(model->outbox, model->now, &text);
    AUTO_JSON cJSON *event = was_sent ? json_parse(text.data, text.len, NULL) : NULL;
    const char *ack_id = json_get_string(event, "ackId");

    require(!was_sent || event);
    if (ack_id) {
        int number = number_of(ack_id);

        require(number > model->newest_sent && (model->there[number] || model->gone[number]));
        model->newest_sent = number;
        model->on_wire[number] = true;
        model->delivered[number] = true;
    }
    return was_sent;
}

static void acknowledge(struct model *model, int number)
{
    char ack_id[48];

    snprintf(ack_id, sizeof ack_id, "execution_complete:%d", number);
    outbox_acknowledge(model->outbox, ack_id);
}

static void lose(struct model *model)
{
    outbox_connection_lost(model->outbox, model->now);
    if (outbox_expects_acks(model->outbox))
        memset(model->sent, 0, sizeof model->sent);
    memset(model->on_wire, 0, sizeof model->on_wire);
    model->newest_sent = -1;
}

static void run(struct model *model, uint8_t byte)
{
    model->now++;
    switch ((enum op)(byte % OP_COUNT)) {
    case OP_CRITICAL:
        push_critical(model);
        break;
    case OP_TOKEN:
        push(model, "token", "m", byte);
        break;
    case OP_TOOL:
        push(model, "tool_call", "m", byte);
        break;
    case OP_SEND:
        send_one(model);
        break;
    case OP_ACK:
        if (model->count > 0)
            acknowledge(model, byte % model->count);
        break;
    case OP_LOSE:
        lose(model);
        break;
    case OP_KILL:
        kill_and_start(model);
        break;
    default:
        outbox_expect_acks(model->outbox);
        break;
    }
}

static void check_bounds(const struct model *model)
{
    struct outbox_counts counts = outbox_counts(model->outbox);
    size_t there = 0;

    for (int i = 0; i < model->count; i++)
        there += model->there[i];
    /* What goes back to the queue is bounded by its own limit, and the newest token may grow. */
    require(counts.waiting_events <= MAX_EVENTS + OUTBOX_UNACKNOWLEDGED_MAX);
    require(counts.waiting_bytes <= MAX_BYTES + EVENT_BYTES_MAX + there * CRITICAL_BYTES_MAX);
    require(counts.unacknowledged <= OUTBOX_UNACKNOWLEDGED_MAX);
}

/* A last connection that takes and acknowledges everything. */
static void settle(struct model *model)
{
    outbox_expect_acks(model->outbox);
    lose(model);
    while (send_one(model))
        ;
    for (int i = 0; i < model->count; i++) {
        require(!model->there[i] || model->on_wire[i]); /* whatever was lost came again */
        acknowledge(model, i);
    }
    for (int i = 0; i < model->count; i++) {
        require(!model->there[i] && model->gone[i]);
        require(model->delivered[i] || model->pressed_out[i]);
    }
    require(outbox_counts(model->outbox).unacknowledged == 0 &&
            outbox_counts(model->outbox).waiting_events == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model = {.newest_sent = -1, .journal = BUF_INIT(JOURNAL_MAX)};
    const struct journal_contents none = {0};

    journal_contents_print(&none, SANDBOX, SESSION, &model.journal);
    start(&model);
    for (size_t i = 0; i < size && !model.journal.failed; i++) {
        run(&model, data[i]);
        check_bounds(&model);
    }
    settle(&model);
    outbox_free(model.outbox);
    buf_free(&model.journal);
    return 0;
}
