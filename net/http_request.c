#include "net/http_request.h"

#include "net/connection.h"
#include "net/net_context_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece of the body that is handed to libwebsockets at a time: it copies what the socket does not
 * take. */
#define BODY_PIECE_BYTES ((size_t)64 * 1024)

struct http_request {
    struct connection connection;
    http_done_fn *on_done;
    void *user;
    char *body; /* LWS_PRE bytes, then the request's body, or with read_body a piece of it */
    size_t body_len;
    size_t body_sent;
    http_read_fn *read_body;
    http_data_fn *on_data;
    const char *answer_header;
    size_t data_len; /* given to on_data so far */
    struct http_response response;
    uint64_t limit_ms;
    bool limits_silence; /* the limit begins anew with each piece of the answer */
    bool cut_body;
    bool has_answer; /* the status and headers are here */
    bool is_chunked;
    bool is_reading;
    bool is_complete; /* the whole body is here */
};

static void free_request(struct http_request *request)
{
    connection_free(&request->connection);
    buf_free(&request->response.body);
    free(request->body);
    free(request);
}

static void finish(struct http_request *request, const struct err *err)
{
    http_done_fn *on_done = request->on_done;

    connection_drop(&request->connection);
    on_done(request->user, err ? NULL : &request->response, err);
    free_request(request);
}

static void finish_with(struct http_request *request, enum err_class class, const char *text)
{
    struct err err = {0};

    err_set(&err, class, "%s", text);
    connection_add_context(&request->connection, &err);
    finish(request, &err);
}

static void note_progress(struct http_request *request)
{
    if (request->limits_silence)
        connection_set_limit(&request->connection, request->limit_ms);
}

static int on_answer(struct http_request *request)
{
    struct lws *wsi = request->connection.wsi;

    request->has_answer = true;
    note_progress(request);
    request->response.status = (int)lws_http_client_http_response(wsi);
    if (lws_hdr_copy(wsi, request->response.content_type, sizeof(request->response.content_type),
                     WSI_TOKEN_HTTP_CONTENT_TYPE) < 0)
        request->response.content_type[0] = '\0';
    if (request->answer_header &&
        lws_hdr_custom_copy(wsi, request->response.header, sizeof(request->response.header),
                            request->answer_header, (int)strlen(request->answer_header)) < 0)
        request->response.header[0] = '\0';
    request->is_chunked = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    return 0;
}

static void finish_too_long(struct http_request *request)
{
    struct err err = {0};

    err_set(&err, ERR_LIMIT, "the answer is longer than %zu bytes", request->response.body.max);
    connection_add_context(&request->connection, &err);
    finish(request, &err);
}

static int hand_on(struct http_request *request, const char *data, size_t len)
{
    struct err err = {0};

    if (len > request->response.body.max - request->data_len) {
        finish_too_long(request);
        return -1;
    }
    request->data_len += len;
    if (request->on_data(request->user, request->response.status, data, len, &err) == 0)
        return 0;
    finish(request, &err);
    return -1;
}

static int on_body(struct http_request *request, const char *data, size_t len)
{
    struct buf *body = &request->response.body;
    size_t room = body->max - body->len;

    note_progress(request);
    if (request->on_data)
        return hand_on(request, data, len);
    if (len <= room) {
        buf_append(body, data, len);
        if (!buf_failed(body))
            return 0;
        finish_with(request, ERR_NO_MEMORY, "out of memory");
        return -1;
    }
    if (!request->cut_body) {
        finish_too_long(request);
        return -1;
    }
    buf_append(body, data, room);
    request->response.body_cut = true;
    finish(request, NULL);
    return -1;
}

/* Takes what the socket has; on_body() gets it from inside. */
static int read_body(struct http_request *request)
{
    struct lws *wsi = request->connection.wsi;
    char *data = NULL;
    int len = 0;
    int result;

    request->is_reading = true;
    result = lws_http_client_read(wsi, &data, &len);
    if (!lws_get_opaque_user_data(wsi))
        return -1; /* finished inside */
    request->is_reading = false;
    /* libwebsockets also calls a chunked body complete when the connection just ends, but then its
     * result is an error. */
    if (result < 0 && request->is_chunked)
        request->is_complete = false;
    if (request->is_complete) {
        finish(request, NULL);
        return -1;
    }
    return result < 0 ? -1 : 0;
}

static int write_body(struct http_request *request)
{
    struct lws *wsi = request->connection.wsi;
    size_t left = request->body_len - request->body_sent;
    size_t piece = left < BODY_PIECE_BYTES ? left : BODY_PIECE_BYTES;
    bool is_last = piece == left;
    char *data = request->body + LWS_PRE + (request->read_body ? 0 : request->body_sent);
    struct err err = {0};

    if (left == 0)
        return 0;
    if (request->read_body &&
        request->read_body(request->user, request->body_sent, data, piece, &err) != 0) {
        finish(request, &err);
        return -1;
    }
    if (is_last)
        lws_client_http_body_pending(wsi, 0);
    if (lws_write(wsi, (unsigned char *)data, piece,
                  is_last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)piece)
        return -1;
    request->body_sent += piece;
    if (!is_last)
        lws_callback_on_writable(wsi);
    return 0;
}

static void on_gone(struct http_request *request)
{
    if (request->is_complete)
        finish(request, NULL);
    else if (request->has_answer)
        finish_with(request, ERR_NETWORK, "the server closed the connection within the answer");
    else
        finish_with(request, ERR_NETWORK, "the server closed the connection without an answer");
}

static int on_lws(void *owner, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct http_request *request = owner;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return on_answer(request);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
        return read_body(request);
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
        return on_body(request, in, len);
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
        return write_body(request);
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
        request->is_complete = true;
        return request->is_reading ? 0 : -1;
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        on_gone(request);
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
    struct http_request *request = owner;
    struct err err = {0};

    err_set(&err, ERR_TIMEOUT, "%s %.3g s: %s is still missing",
            request->limits_silence ? "nothing came for" : "no whole answer within",
            (double)request->limit_ms / 1000,
            request->has_answer ? "the rest of the body"
                                : connection_awaited(&request->connection));
    connection_add_context(&request->connection, &err);
    finish(request, &err);
}

static const struct connection_handlers connection_handlers = {
    .on_lws = on_lws,
    .on_failed = on_failed,
    .on_limit = on_limit,
};

static int copy_body(struct http_request *request, const struct http_request_options *options,
                     struct err *err)
{
    size_t kept = options->read_body ? BODY_PIECE_BYTES : options->body_len;

    if (!options->body && !options->read_body)
        return 0;
    request->body_len = options->body_len;
    request->body = malloc(LWS_PRE + kept + 1);
    if (!request->body)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (!options->read_body)
        memcpy(request->body + LWS_PRE, options->body, options->body_len);
    request->connection.has_body = options->body_len > 0;
    return 0;
}

/* The caller's headers and the length of the body. */
static int init_connection(struct http_request *request, struct net_context *context,
                           const struct http_request_options *options, struct err *err)
{
    struct net_header *headers = calloc(options->header_count + 1, sizeof(*headers));
    size_t count = options->header_count;
    bool has_body = options->body || options->read_body;
    char length[24];
    int result;

    if (!headers)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        headers[i] = options->headers[i];
    if (has_body || strcmp(options->method, "POST") == 0) {
        snprintf(length, sizeof(length), "%zu", has_body ? options->body_len : (size_t)0);
        headers[count++] = (struct net_header){"Content-Length", length};
    }
    result = connection_init(&request->connection, context, &connection_handlers, request,
                             options->url, headers, count, err);
    free(headers);
    request->connection.method = options->method;
    return result;
}

struct http_request *http_request_start(struct net_context *context,
                                        const struct http_request_options *options,
                                        http_done_fn *on_done, void *user, struct err *err)
{
    struct http_request *request = calloc(1, sizeof(*request));

    if (!request) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    request->on_done = on_done;
    request->user = user;
    request->cut_body = options->cut_body;
    request->read_body = options->read_body;
    request->on_data = options->on_data;
    request->answer_header = options->answer_header;
    request->limits_silence = options->silence_limit_ms > 0;
    request->limit_ms =
        options->total_limit_ms ? options->total_limit_ms : HTTP_REQUEST_TOTAL_LIMIT_MS;
    if (request->limits_silence)
        request->limit_ms = options->silence_limit_ms;
    buf_init(&request->response.body,
             options->max_body ? options->max_body : HTTP_REQUEST_MAX_BODY);
    if (init_connection(request, context, options, err) != 0 ||
        copy_body(request, options, err) != 0)
        goto fail;
    connection_set_limit(&request->connection, request->limit_ms);
    if (connection_start(&request->connection, err) != 0)
        goto fail;
    return request;
fail:
    free_request(request);
    return NULL;
}

void http_request_cancel(struct http_request *request)
{
    if (request)
        free_request(request);
}
