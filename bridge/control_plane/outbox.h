/*
 * The one way out: every event for the control plane stands in this queue, in the order it happened
 * (D-22); only a heartbeat goes first. Pure: no socket, no clock, no log; what it does to critical
 * events it tells an observer, which keeps the journal.
 *
 * Critical events (event_envelope.h) stay after they were sent, until the control plane
 * acknowledges them. When the connection is lost they go back to the head of the queue - but only
 * once it is known that this control plane acknowledges at all: an older one would process
 * the copy again.
 *
 * Bounds, and what happens there (B-445, D-21, D-41). Events and bytes waiting: the oldest of what
 * there is much of is dropped (event_list.h), then the oldest that is not critical, and a critical one
 * only for another. Sent and not acknowledged: the oldest is forgotten. A critical event is given up
 * when it was sent OUTBOX_SENDS_MAX times and OUTBOX_RESEND_LIMIT_MS have passed. Every drop is told.
 * A token that only extends the text of the newest waiting token of its message replaces it in place
 * (D-09).
 *
 * The outbox owns its events. One thread; the observer must not call back.
 */
#ifndef BRIDGE_CONTROL_PLANE_OUTBOX_H
#define BRIDGE_CONTROL_PLANE_OUTBOX_H

#include "common/buf.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOX_UNACKNOWLEDGED_MAX 256

/* D-21 gives an event up after five more sends or one hour. Here only when both are over: a control
 * plane that accepts and dies uses up six sends in seconds, and an hour away uses up none; either
 * would lose a completion, and the session would hang. What this costs stays bounded: by the number
 * above, and by the growing wait between connections. */
#define OUTBOX_SENDS_MAX 6
#define OUTBOX_RESEND_LIMIT_MS (60 * 60 * 1000)

/* No control plane has a lower limit for a message: a smaller one was not what it refused. */
#define OUTBOX_REFUSABLE_MIN_BYTES ((size_t)64 * 1024)

/* What becomes of critical events. `text` is the event's JSON. Members may be NULL. */
struct outbox_observer {
    void *user;
    void (*on_added)(void *user, const char *ack_id, const char *text, size_t len);
    void (*on_sent)(void *user, const char *ack_id);
    void (*on_gone)(void *user, const char *ack_id); /* acknowledged, given up or dropped */
    /* Of every event, critical or not, that is lost; before on_gone. `what`: its ackId, or the type
     * of one that could not be queued; NULL: one that is not critical. */
    void (*on_dropped)(void *user, const char *what, const char *reason);
};

struct outbox_options {
    const char *sandbox_id; /* copied */
    size_t max_events;
    size_t max_bytes;
    struct outbox_observer observer; /* copied */
};

struct outbox_counts {
    size_t waiting_events;
    size_t waiting_bytes;
    size_t unacknowledged; /* sent, waiting for their ack */
    uint64_t dropped;      /* since the start, for whatever reason */
};

struct outbox;

/* NULL when out of memory. */
struct outbox *outbox_new(const struct outbox_options *options);
void outbox_free(struct outbox *outbox);

/* Stamps the event, prints it and puts it at the end; the event is deleted. */
void outbox_push(struct outbox *outbox, cJSON *event, uint64_t wall_ms, uint64_t random);

/* Puts a critical event of an earlier process back (from the journal), in order. `was_sent`: it may
 * have reached the control plane. The observer is not told. */
void outbox_restore(struct outbox *outbox, const char *ack_id, const char *text, size_t len,
                    bool was_sent);

/* Hands the next event over to a connection: appends it to `out` and returns true. */
bool outbox_next(struct outbox *outbox, uint64_t now_ms, struct buf *out);

/* The connection that events were handed to is gone. Returns how many will be sent again. */
size_t outbox_connection_lost(struct outbox *outbox, uint64_t now_ms);

/* The control plane refused a message as too big (1009): forgets the large critical event handed
 * over last, or it would be refused again and again (D-40). Small ones stay: it was something else
 * that was too big, or the limits above end it. Returns the bytes of what was forgotten, 0: nothing.
 * Before outbox_connection_lost(). */
size_t outbox_drop_refused(struct outbox *outbox);

/* Returns true when the id was waited for (B-450). An ack proves that this control plane sends
 * them. */
bool outbox_acknowledge(struct outbox *outbox, const char *ack_id);

/* This control plane acknowledges: known from the shape of its commands or from the journal. */
void outbox_expect_acks(struct outbox *outbox);
bool outbox_expects_acks(const struct outbox *outbox);

struct outbox_counts outbox_counts(const struct outbox *outbox);

#endif
