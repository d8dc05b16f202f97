/*
 * For the test programs of the outbox: one outbox, what it hands over as text, and what its observer
 * was told. A new one with fresh(), the last one away with put_away().
 */
#ifndef TESTS_UNIT_OUTBOX_UNDER_TEST_H
#define TESTS_UNIT_OUTBOX_UNDER_TEST_H

#include "bridge/control_plane/outbox.h"
#include "common/json.h"
#include "tests/unit/check.h"

#define WALL_MS 1700000000123u
#define RANDOM 0x0123456789abcdefu
#define NOW_MS 5000u

static struct outbox *outbox;
static struct buf seen = BUF_INIT(1024 * 1024);  /* labels of what was handed over, one a line */
static struct buf notes = BUF_INIT(1024 * 1024); /* what the observer was told */
static struct buf drops = BUF_INIT(1024 * 1024); /* what it was told of lost ones */

static inline void on_added(void *user, const char *ack_id, const char *text, size_t len)
{
    (void)user;
    CHECK_INT(strlen(text), len);
    buf_printf(&notes, "+%s ", ack_id);
}

static inline void on_sent(void *user, const char *ack_id)
{
    (void)user;
    buf_printf(&notes, ">%s ", ack_id);
}

static inline void on_gone(void *user, const char *ack_id)
{
    (void)user;
    buf_printf(&notes, "-%s ", ack_id);
}

static inline void on_dropped(void *user, const char *what, const char *reason)
{
    (void)user;
    CHECK(reason && reason[0]);
    buf_printf(&drops, "%s ", what ? what : "?");
}

static inline void fresh(size_t max_events, size_t max_bytes)
{
    outbox_free(outbox);
    buf_reset(&notes);
    buf_reset(&drops);
    outbox = outbox_new(&(struct outbox_options){.sandbox_id = "sb",
                                                 .max_events = max_events,
                                                 .max_bytes = max_bytes,
                                                 .observer = {.on_added = on_added,
                                                              .on_sent = on_sent,
                                                              .on_gone = on_gone,
                                                              .on_dropped = on_dropped}});
}

static inline void push(const char *json)
{
    outbox_push(outbox, json_parse(json, strlen(json), NULL), WALL_MS, RANDOM);
}

static inline void push_token(const char *content)
{
    cJSON *event = cJSON_CreateObject();

    json_add_string(event, "type", "token");
    json_add_string(event, "messageId", "m");
    json_add_string(event, "content", content);
    outbox_push(outbox, event, WALL_MS, RANDOM);
}

static inline void push_completion(const char *message_id)
{
    cJSON *event = cJSON_CreateObject();

    json_add_string(event, "type", "execution_complete");
    json_add_string(event, "messageId", message_id);
    json_add_bool(event, "success", true);
    outbox_push(outbox, event, WALL_MS, RANDOM);
}

/* "token:<content>" or "<type>:<messageId>" */
static inline void label(const cJSON *event, struct buf *out)
{
    const char *type = json_get_string(event, "type");
    const char *text = json_get_string(event, strcmp(type, "token") == 0 ? "content" : "messageId");

    buf_printf(out, "%s:%s ", type, text ? text : "");
}

/* Hands everything over and returns the labels. */
static inline const char *drain(void)
{
    struct buf text = BUF_INIT(16 * 1024 * 1024);

    buf_reset(&seen);
    while (outbox_next(outbox, NOW_MS, &text)) {
        cJSON *event = json_parse(text.data, text.len, NULL);

        label(event, &seen);
        cJSON_Delete(event);
        buf_reset(&text);
    }
    buf_free(&text);
    return buf_text(&seen);
}

static inline void put_away(void)
{
    outbox_free(outbox);
    buf_free(&seen);
    buf_free(&notes);
    buf_free(&drops);
}

#endif
