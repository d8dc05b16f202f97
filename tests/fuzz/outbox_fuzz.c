/*
 * Fuzzer of the outbox against a model: random pushes, connections, losses and acks. Within one
 * connection critical events come in the order they happened; the bounds hold; one that was not
 * given up is delivered at least once and ends acknowledged; the observer hears of each exactly
 * once that it is there and once that it is gone.
 */
#include "bridge/control_plane/outbox.h"
#include "common/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS 8
#define MAX_BYTES 2048
#define CRITICALS_MAX 512
#define TOKEN_MAX 200

enum op { OP_CRITICAL, OP_TOKEN, OP_TOOL, OP_SEND, OP_ACK, OP_LOSE, OP_EXPECT, OP_COUNT };

struct model {
    struct outbox *outbox;
    bool there[CRITICALS_MAX]; /* added and not gone */
    bool delivered[CRITICALS_MAX];
    bool gone[CRITICALS_MAX];
    int count;
    int newest_sent; /* on this connection */
    uint64_t now;
};

static int number_of(const char *ack_id)
{
    const char *colon = strchr(ack_id, ':');
    int number = colon ? atoi(colon + 1) : -1;

    if (number < 0 || number >= CRITICALS_MAX)
        abort();
    return number;
}

static void on_added(void *user, const char *ack_id, const char *text, size_t len)
{
    struct model *model = user;
    int number = number_of(ack_id);

    if (strlen(text) != len || model->there[number] || model->gone[number])
        abort();
    model->there[number] = true;
}

static void on_gone(void *user, const char *ack_id)
{
    struct model *model = user;
    int number = number_of(ack_id);

    if (!model->there[number])
        abort();
    model->there[number] = false;
    model->gone[number] = true;
}

static void push(struct model *model, const char *type, const char *message_id, size_t size)
{
    cJSON *event = cJSON_CreateObject();
    char content[TOKEN_MAX + 1];

    memset(content, 'c', sizeof content);
    content[size % TOKEN_MAX] = '\0';
    json_add_string(event, "type", type);
    json_add_string(event, "messageId", message_id);
    json_add_string(event, "content", content);
    outbox_push(model->outbox, event, 1, 1);
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
    struct buf text = BUF_INIT((size_t)64 * 1024);
    bool sent = outbox_next(model->outbox, model->now, &text);
    cJSON *event = sent ? json_parse(text.data, text.len, NULL) : NULL;
    const char *ack_id = json_get_string(event, "ackId");

    if (sent && !event)
        abort();
    if (ack_id) {
        int number = number_of(ack_id);

        if (number <= model->newest_sent || (!model->there[number] && !model->gone[number]))
            abort();
        model->newest_sent = number;
        model->delivered[number] = true;
    }
    cJSON_Delete(event);
    buf_free(&text);
    return sent;
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
    default:
        outbox_expect_acks(model->outbox);
        break;
    }
}

static void check_bounds(const struct model *model)
{
    struct outbox_counts counts = outbox_counts(model->outbox);

    /* What goes back to the queue is bounded by its own limit. */
    if (counts.waiting_events > MAX_EVENTS + OUTBOX_UNACKNOWLEDGED_MAX ||
        counts.unacknowledged > OUTBOX_UNACKNOWLEDGED_MAX)
        abort();
}

/* A last connection that takes and acknowledges everything. */
static void settle(struct model *model)
{
    uint64_t undelivered = 0;

    outbox_expect_acks(model->outbox);
    lose(model);
    while (send_one(model))
        ;
    for (int i = 0; i < model->count; i++)
        acknowledge(model, i);
    for (int i = 0; i < model->count; i++) {
        if (model->there[i] || !model->gone[i])
            abort();
        undelivered += !model->delivered[i];
    }
    if (undelivered > outbox_counts(model->outbox).dropped)
        abort();
    if (outbox_counts(model->outbox).unacknowledged > 0 || outbox_has_next(model->outbox))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct model model = {.newest_sent = -1};
    const struct outbox_options options = {
        .sandbox_id = "sb",
        .max_events = MAX_EVENTS,
        .max_bytes = MAX_BYTES,
        .observer = {.user = &model, .on_added = on_added, .on_gone = on_gone}};

    model.outbox = outbox_new(&options);
    for (size_t i = 0; i < size; i++) {
        run(&model, data[i]);
        check_bounds(&model);
    }
    settle(&model);
    outbox_free(model.outbox);
    return 0;
}
