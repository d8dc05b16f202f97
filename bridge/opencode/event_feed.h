/*
 * OpenCode's event stream for the life of the process (D-49): opened when the feed is started, and
 * again whenever it ends, after a short wait that grows. While it is stopped (OpenCode is known to
 * be down) nothing is tried. Callbacks come from the loop; on_event's data is as in
 * net/event_stream.h. The feed owns its stream; everything else belongs to the owner and must
 * outlive it.
 */
#ifndef BRIDGE_OPENCODE_EVENT_FEED_H
#define BRIDGE_OPENCODE_EVENT_FEED_H

#include "bridge/opencode/opencode_api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct event_feed;

struct event_feed_handlers {
    void (*on_up)(void *user); /* from here on no event is missed */
    void (*on_event)(void *user, char *data, size_t len);

    /* It ended, or could not be opened (`was_up` false). `status`: the answer's when it was not
     * 200, else 0. The feed tries again by itself. */
    void (*on_down)(void *user, bool was_up, int status, const struct err *err);
};

/* NULL when out of memory. `handlers` must live as long as the feed. */
struct event_feed *event_feed_new(uv_loop_t *loop, struct net_context *net,
                                  const struct opencode_api *api,
                                  const struct event_feed_handlers *handlers, void *user);

/* Opens the stream now, unless it is open or being opened. */
void event_feed_start(struct event_feed *feed);

/* Closes it and tries no more until event_feed_start(). on_down is not called. */
void event_feed_stop(struct event_feed *feed);

bool event_feed_is_up(const struct event_feed *feed);

/* Back-pressure: reads no more from OpenCode. It stays in force over reconnects. */
void event_feed_set_paused(struct event_feed *feed, bool paused);
bool event_feed_is_paused(const struct event_feed *feed);

/* Monotonic time of the last byte; of the last stream's when it is down. */
uint64_t event_feed_last_byte_ms(const struct event_feed *feed);

/* Events that were skipped for their size, ever. */
uint64_t event_feed_skipped(const struct event_feed *feed);

/* Stops and frees itself, once the loop has closed its timer. */
void event_feed_close(struct event_feed *feed);

#endif
