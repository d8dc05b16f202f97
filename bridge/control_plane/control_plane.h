/*
 * The connection to the control plane: opened, kept alive, opened again (connection_policy.h), and
 * fed from the outbox. Everything that is sent goes through the outbox; whoever pushes calls
 * control_plane_wake(). Callbacks come from the loop. Everything in the options is copied, but for
 * the objects it points to, which must outlive the control plane.
 */
#ifndef BRIDGE_CONTROL_PLANE_CONTROL_PLANE_H
#define BRIDGE_CONTROL_PLANE_CONTROL_PLANE_H

#include "bridge/control_plane/outbox.h"
#include "bridge/limits.h"
#include "bridge/options.h"
#include "common/log.h"
#include "net/net_context.h"

#include <uv.h>

struct control_plane;

struct control_plane_handlers {
    /* Open: the backlog is on its way; say `ready` now. */
    void (*on_open)(void *user);
    void (*on_message)(void *user, char *data, size_t len);

    /* The connection is gone; it may be opened again. */
    void (*on_lost)(void *user);

    /* An event was handed over. */
    void (*on_drained)(void *user);

    /* It is over: the control plane refused this sandbox, or control_plane_finish() is through.
     * Called once, last. `outcome` is a constant: "session_terminated" or what was given. */
    void (*on_ended)(void *user, const char *outcome);
};

struct control_plane_options {
    uv_loop_t *loop;
    struct net_context *net;
    struct outbox *outbox;
    struct log *log;
    const struct limits *limits;
    const struct options *options; /* URL, ids, credential */
};

/* NULL and `err` when out of memory. `handlers` must live as long as the control plane. */
struct control_plane *control_plane_new(const struct control_plane_options *options,
                                        const struct control_plane_handlers *handlers, void *user,
                                        struct err *err);

/* Connects, once. */
void control_plane_start(struct control_plane *control_plane);

/* Something is in the outbox. */
void control_plane_wake(struct control_plane *control_plane);

/* What heartbeats say: "booting" or "ready" (N-41). */
void control_plane_set_booting(struct control_plane *control_plane, bool booting);

bool control_plane_is_open(const struct control_plane *control_plane);

/* An ack came: the connection is worth keeping (D-19). */
void control_plane_note_ack(struct control_plane *control_plane);

/* Sends what is queued and waits for its acks, for at most limits->drain_ms, closes with `code`,
 * then on_ended with `outcome`, a constant. Without a connection it ends at once. */
void control_plane_finish(struct control_plane *control_plane, unsigned code, const char *reason,
                          const char *outcome);

/* Frees itself once the loop has closed its timers; nothing is called any more. */
void control_plane_close(struct control_plane *control_plane);

#endif
