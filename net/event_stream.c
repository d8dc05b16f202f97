#include "net/event_stream.h"

#include "common/clock.h"
#include "net/connection.h"
#include "net/net_context_private.h"

#include <stdlib.h>

struct event_stream {
    struct connection connection;
    const struct event_stream_handlers *handlers;
    void *user;
    struct sse_parser parser;
    uint64_t connect_limit_ms;
    uint64_t last_byte_ms;
    int status;
    bool is_open;
    bool has_ended;
    bool is_paused;
    bool has_read;
    bool is_parsing; /* the parser is on the stack: it must not be freed */
    bool is_dead;    /* freed by its owner; nothing is told any more */
};

static void free_stream(struct event_stream *stream)
{
    sse_parser_free(&stream->parser);
    free(stream);
}

static void finish(struct event_stream *stream, const struct err *err)
{
    int status = stream->is_open ? 0 : stream->status;

    if (stream->has_ended)
        return;
    stream->has_ended = true;
    connection_drop(&stream->connection);
    stream->handlers->on_end(stream->user, status, err);
}

static void finish_with(struct event_stream *stream, enum err_class class, const char *text)
{
    struct err err = {0};

    err_set(&err, class, "%s", text);
    connection_add_context(&stream->connection, &err);
    finish(stream, &err);
}

static void on_data(void *user, char *data, size_t len)
{
    struct event_stream *stream = user;

    if (!stream->is_dead && !stream->has_ended)
        stream->handlers->on_event(stream->user, data, len);
}

static int on_answer(struct event_stream *stream)
{
    struct lws *wsi = stream->connection.wsi;
    struct err err = {0};

    stream->status = (int)lws_http_client_http_response(wsi);
    stream->last_byte_ms = clock_monotonic_ms();
    if (stream->status == 200) {
        stream->is_open = true;
        connection_set_limit(&stream->connection, 0);
        stream->handlers->on_open(stream->user);
        return 0;
    }
    err_set(&err, ERR_PROTOCOL, "the event stream was answered with HTTP %d", stream->status);
    connection_add_context(&stream->connection, &err);
    finish(stream, &err);
    return -1;
}

static int on_bytes(struct event_stream *stream, const char *bytes, size_t len)
{
    stream->last_byte_ms = clock_monotonic_ms();
    stream->is_parsing = true;
    sse_parser_feed(&stream->parser, bytes, len);
    stream->is_parsing = false;
    if (stream->is_dead) {
        free_stream(stream);
        return -1;
    }
    return stream->has_ended ? -1 : 0;
}

/* Takes what the socket has; on_bytes() gets it from inside. */
static int read_bytes(struct event_stream *stream)
{
    struct lws *wsi = stream->connection.wsi;
    char *data = NULL;
    int len = 0;

    /* libwebsockets stopped listening to the socket before it called, and goes on when we read.
     * (Its own flow control keeps asking whether the socket can be written to, in a circle.) What
     * came with the headers is read in any case: libwebsockets would offer it without end. */
    if (!stream->is_open || (stream->is_paused && stream->has_read))
        return 0;
    stream->has_read = true;
    return lws_http_client_read(wsi, &data, &len) < 0 ? -1 : 0;
}

static int on_lws(void *owner, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct event_stream *stream = owner;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return on_answer(stream);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE: /* event_stream_resume() */
        return read_bytes(stream);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return on_bytes(stream, in, len);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        return -1; /* the end of the stream: close */
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        finish_with(stream, ERR_NETWORK,
                    stream->is_open ? "the event stream ended"
                                    : "the server closed the connection without an answer");
        return 0;
    default:
        return 0;
    }
}

static void on_failed(void *owner, const struct err *err)
{
    finish(owner, err);
}

static void on_limit(void *owner)
{
    struct event_stream *stream = owner;
    struct err err = {0};

    err_set(&err, ERR_TIMEOUT, "no event stream within %.3g s: %s is still missing",
            (double)stream->connect_limit_ms / 1000, connection_awaited(&stream->connection));
    connection_add_context(&stream->connection, &err);
    finish(stream, &err);
}

static const struct connection_handlers connection_handlers = {
    .on_lws = on_lws,
    .on_failed = on_failed,
    .on_limit = on_limit,
};

struct event_stream *event_stream_open(struct net_context *context,
                                       const struct event_stream_options *options,
                                       const struct event_stream_handlers *handlers, void *user,
                                       struct err *err)
{
    struct event_stream *stream = calloc(1, sizeof(*stream));

    if (!stream) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    stream->handlers = handlers;
    stream->user = user;
    stream->connect_limit_ms =
        options->connect_limit_ms ? options->connect_limit_ms : EVENT_STREAM_CONNECT_LIMIT_MS;
    stream->last_byte_ms = clock_monotonic_ms();
    sse_parser_init(&stream->parser,
                    options->max_event ? options->max_event : EVENT_STREAM_MAX_EVENT, on_data,
                    stream);
    if (connection_init(&stream->connection, context, &connection_handlers, stream, options->url,
                        options->headers, options->header_count, err) != 0)
        goto fail;
    stream->connection.method = "GET";
    connection_set_limit(&stream->connection, stream->connect_limit_ms);
    if (connection_start(&stream->connection, err) != 0)
        goto fail;
    return stream;
fail:
    event_stream_free(stream);
    return NULL;
}

void event_stream_pause(struct event_stream *stream)
{
    stream->is_paused = true;
}

void event_stream_resume(struct event_stream *stream)
{
    if (stream->is_paused && stream->is_open && stream->connection.wsi)
        lws_callback_on_writable(stream->connection.wsi);
    stream->is_paused = false;
}

uint64_t event_stream_last_byte_ms(const struct event_stream *stream)
{
    return stream->last_byte_ms;
}

uint64_t event_stream_skipped(const struct event_stream *stream)
{
    return stream->parser.dropped_frames;
}

void event_stream_free(struct event_stream *stream)
{
    if (!stream)
        return;
    connection_free(&stream->connection);
    if (stream->is_parsing)
        stream->is_dead = true; /* on_bytes() frees it */
    else
        free_stream(stream);
}
