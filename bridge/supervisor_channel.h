/*
 * The channel to the supervisor, descriptor 3 (docs/supervisor-bridge-channel.md): one JSON object a
 * line, both ways. Callbacks come from the loop. Lines that are not understood are passed over.
 */
#ifndef BRIDGE_SUPERVISOR_CHANNEL_H
#define BRIDGE_SUPERVISOR_CHANNEL_H

#include "common/err.h"

#include <cJSON.h>
#include <stdbool.h>
#include <uv.h>

#define SUPERVISOR_CHANNEL_FD 3

struct supervisor_channel;

struct supervisor_channel_handlers {
    void (*on_boot)(void *user, const cJSON *line); /* a phase of the boot */
    /* OpenCode may be asked, about this directory; NULL: the one it was started in. */
    void (*on_ready)(void *user, const char *directory);
    void (*on_opencode_down)(void *user);
    void (*on_fatal)(void *user, const char *error);
    void (*on_warning)(void *user, const cJSON *warning);
    void (*on_shutdown)(void *user); /* or the other side is gone */
};

/* The descriptor is a socket: we were started by our supervisor. Makes it close-on-exec. */
bool supervisor_channel_is_there(void);

/* `handlers` must live as long as the channel. */
struct supervisor_channel *
supervisor_channel_open(uv_loop_t *loop, const struct supervisor_channel_handlers *handlers,
                        void *user, struct err *err);

/* All accept NULL: there is no channel then. */
void supervisor_channel_tell_connected(struct supervisor_channel *channel);
void supervisor_channel_tell_prompt(struct supervisor_channel *channel, bool running);
void supervisor_channel_tell_exiting(struct supervisor_channel *channel, const char *reason);

/* Frees itself once the loop has closed it. */
void supervisor_channel_close(struct supervisor_channel *channel);

#endif
