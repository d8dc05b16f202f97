/*
 * The supervisor's end of the socketpair to one bridge process (S-325). A bridge that does not read
 * cannot hold us up: past BRIDGE_CHANNEL_QUEUE_MAX bytes, lines are dropped and that is logged.
 * Embedded; may be opened again once the loop has closed it.
 */
#ifndef SUPERVISOR_BRIDGE_SERVICE_BRIDGE_CHANNEL_H
#define SUPERVISOR_BRIDGE_SERVICE_BRIDGE_CHANNEL_H

#include "common/line_splitter.h"
#include "common/log.h"
#include "supervisor/bridge_service/bridge_message.h"

#include <uv.h>

#define BRIDGE_CHANNEL_QUEUE_MAX (256 * 1024)

typedef void bridge_message_fn(void *user, const struct bridge_message *message);

struct bridge_channel {
    uv_loop_t *loop;
    struct log *log;
    bridge_message_fn *on_message;
    void *user;
    uv_pipe_t pipe;
    bool open; /* until the close callback */
    struct line_splitter lines;
    char chunk[4096];
};

void bridge_channel_init(struct bridge_channel *channel, uv_loop_t *loop, struct log *log,
                         bridge_message_fn *on_message, void *user);

/* `bridge_end` is for the bridge's descriptor 3 and the caller's to close. */
int bridge_channel_open(struct bridge_channel *channel, int *bridge_end, struct err *err);

/* Sends whole lines. Nothing happens when it is not open. */
void bridge_channel_send(struct bridge_channel *channel, const struct buf *lines);

/* Nothing more is sent or heard. */
void bridge_channel_shut(struct bridge_channel *channel);

/* For good: also gives the memory back. */
void bridge_channel_close(struct bridge_channel *channel);

#endif
