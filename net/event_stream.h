/*
 * One GET of a stream of server-sent events: connects, checks for status 200 and hands on each
 * event's data until the stream ends. A new connection is a new stream.
 *
 * Callbacks come from the loop, never from inside a call of the owner: on_open at most once,
 * on_event for every event with data, on_end exactly once, last. The owner may call any function of
 * this header in them, event_stream_free() included; the stream stays valid until that. How long a
 * silent stream is waited for is the owner's affair (event_stream_last_byte_ms).
 */
#ifndef NET_EVENT_STREAM_H
#define NET_EVENT_STREAM_H

#include "common/err.h"
#include "net/net_context.h"
#include "net/net_header.h"
#include "net/sse_parser.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_STREAM_CONNECT_LIMIT_MS 30000 /* B-512 */
#define EVENT_STREAM_MAX_EVENT SSE_PARSER_DEFAULT_MAX_BYTES

struct event_stream;

struct event_stream_options {
    const char *url; /* copied */
    const struct net_header *headers;
    size_t header_count;
    /* 0 means the constant above. */
    uint64_t connect_limit_ms; /* to the answer's headers */
    size_t max_event;          /* bytes of data; a bigger event is skipped and counted */
};

struct event_stream_handlers {
    void (*on_open)(void *user); /* 200 was answered: from here on events are not missed */

    /* `data[len]` is a NUL; the owner may write into it, and loses it when it returns. */
    void (*on_event)(void *user, char *data, size_t len);

    /* `status` is the answer's when it was not 200, else 0. `err` says what happened, also for an
     * orderly end of the stream (ERR_NETWORK). */
    void (*on_end)(void *user, int status, const struct err *err);
};

/* Starts connecting. `handlers` must live as long as the stream. NULL and `err` for a bad URL, no
 * memory, or certificates that cannot be read. */
struct event_stream *event_stream_open(struct net_context *context,
                                       const struct event_stream_options *options,
                                       const struct event_stream_handlers *handlers, void *user,
                                       struct err *err);

/* Stops reading from the socket (the peer is then slowed down by TCP), and goes on. Events of what
 * was read already may still come. */
void event_stream_pause(struct event_stream *stream);
void event_stream_resume(struct event_stream *stream);

/* Monotonic time of the last byte (B-524), or of the start when none came yet. */
uint64_t event_stream_last_byte_ms(const struct event_stream *stream);

/* Events that were skipped for their size. */
uint64_t event_stream_skipped(const struct event_stream *stream);

/* Closes the connection and frees the stream. No callback follows. NULL is fine. */
void event_stream_free(struct event_stream *stream);

#endif
