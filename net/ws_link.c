#include "net/ws_link.h"

#include "common/clock.h"
#include "net/connection.h"
#include "net/net_context_private.h"
#include "net/redirect.h"
#include "net/send_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOCATION_MAX 4096

/* Messages that are written in one go before the loop gets its turn. */
#define WRITES_PER_ROUND 32

/* A buffer that grew past this for one big message is given back. */
#define SEND_KEEP_BYTES ((size_t)64 * 1024)
#define RECEIVE_KEEP_BYTES ((size_t)64 * 1024)

#define CLOSE_NO_STATUS 1005
#define CLOSE_TOO_BIG 1009

struct ws_link {
    struct connection connection;
    const struct ws_link_handlers *handlers;
    void *user;
    struct buf received; /* the fragments of the current message so far */
    struct buf sending;  /* LWS_PRE bytes for the frame's header, then the message */
    uint64_t handshake_limit_ms;
    uint64_t close_limit_ms;
    unsigned redirects;
    int status; /* of the handshake's answer */
    bool is_open;
    bool is_choked;   /* the kernel had no room for more */
    bool is_closing;  /* a Close was asked for or received: nothing passes any more */
    bool close_given; /* libwebsockets sends our Close and waits for the peer's */
    bool has_ended;
    struct ws_end end; /* filled while closing */
};

static void finish(struct ws_link *link)
{
    if (link->has_ended)
        return;
    link->has_ended = true;
    connection_drop(&link->connection);
    link->handlers->on_end(link->user, &link->end);
}

static void finish_failed(struct ws_link *link, const struct err *err)
{
    link->end.kind = WS_END_FAILED;
    link->end.err = *err;
    finish(link);
}

static void finish_closed(struct ws_link *link)
{
    link->end.kind = WS_END_CLOSED;
    err_set(&link->end.err, ERR_NETWORK, "closed by %s with code %u%s%s",
            link->end.by_peer ? "the peer" : "us", link->end.close_code,
            *link->end.reason ? ": " : "", link->end.reason);
    finish(link);
}

static void finish_refused(struct ws_link *link)
{
    enum err_class class = ERR_PROTOCOL;

    if (link->status == 401 || link->status == 403)
        class = ERR_AUTH;
    else if (link->status == 404 || link->status == 410)
        class = ERR_NOT_FOUND;
    link->end.kind = WS_END_REFUSED;
    link->end.status = link->status;
    err_set(&link->end.err, class, "the handshake was answered with HTTP %d", link->status);
    connection_add_context(&link->connection, &link->end.err);
    finish(link);
}

/* Drops what must not be shown to another origin. */
static void forget_authorization(struct connection *connection)
{
    for (size_t i = 0; i < connection->header_count; i++) {
        if (strcasecmp(connection->headers[i].name, "Authorization") == 0) {
            free(connection->headers[i].name);
            free(connection->headers[i].value);
            connection->headers[i] = connection->headers[--connection->header_count];
            i--;
        }
    }
}

static int follow_redirect(struct ws_link *link, const char *location, struct err *err)
{
    struct connection *connection = &link->connection;
    bool same_origin;
    struct url next;

    if (++link->redirects > REDIRECT_LIMIT)
        return err_set(err, ERR_PROTOCOL, "more than %d redirects", REDIRECT_LIMIT);
    if (redirect_resolve(&connection->url, location, &next, &same_origin, err) != 0)
        return -1;
    if (!same_origin)
        forget_authorization(connection);
    url_free(&connection->url);
    connection->url = next;
    return connection_start(connection, err);
}

/* The answer's headers are here; for anything but 101 this is the end of this connection. */
static int on_answer(struct ws_link *link)
{
    struct connection *connection = &link->connection;
    char location[LOCATION_MAX];
    struct err err = {0};

    link->status = (int)lws_http_client_http_response(connection->wsi);
    if (link->status == 101)
        return 0;
    if (redirect_is_status(link->status) &&
        lws_hdr_copy(connection->wsi, location, sizeof(location), WSI_TOKEN_HTTP_LOCATION) > 0) {
        uint64_t due = connection->limit.due_ms;
        uint64_t now = clock_monotonic_ms();

        connection_drop(connection);
        connection_set_limit(connection, due > now ? due - now : 1);
        if (follow_redirect(link, location, &err) != 0) {
            connection_add_context(connection, &err);
            finish_failed(link, &err);
        }
        return -1;
    }
    finish_refused(link);
    return -1;
}

static void keep_close(struct ws_link *link, bool by_peer, unsigned code, const char *reason,
                       size_t len)
{
    if (len > WS_LINK_REASON_MAX)
        len = WS_LINK_REASON_MAX;
    link->is_closing = true;
    link->end.by_peer = by_peer;
    link->end.close_code = code;
    memcpy(link->end.reason, reason, len);
    link->end.reason[len] = '\0';
    connection_set_limit(&link->connection, link->close_limit_ms);
}

static void on_peer_close(struct ws_link *link, const unsigned char *payload, size_t len)
{
    if (link->is_closing)
        return;
    if (len < 2)
        keep_close(link, true, CLOSE_NO_STATUS, "", 0);
    else
        keep_close(link, true, (unsigned)payload[0] << 8 | payload[1], (const char *)payload + 2,
                   len - 2);
}

static int on_received(struct ws_link *link, const char *data, size_t len)
{
    struct lws *wsi = link->connection.wsi;
    struct buf *received = &link->received;

    if (link->is_closing)
        return 0;
    buf_append(received, data, len);
    if (buf_failed(received)) {
        buf_reset(received);
        ws_link_close(link, CLOSE_TOO_BIG, "message too big");
        return 0;
    }
    if (!lws_is_final_fragment(wsi))
        return 0;
    buf_append(received, "", 0);
    link->handlers->on_message(link->user, received->data ? received->data : (char[]){""},
                               received->len);
    /* The callback may have freed the link. */
    if (!lws_get_opaque_user_data(wsi))
        return 0;
    buf_reset(received);
    if (received->cap > RECEIVE_KEEP_BYTES)
        buf_free(received);
    return 0;
}

/* 0: sent. 1: nothing to send, or the link is gone. -1: the connection is broken. */
static int send_one(struct ws_link *link)
{
    struct lws *wsi = link->connection.wsi;
    struct buf *sending = &link->sending;
    size_t len;

    buf_reset(sending);
    if (!buf_reserve(sending, LWS_PRE))
        return -1;
    buf_commit(sending, LWS_PRE);
    if (!link->handlers->on_writable(link->user, sending))
        return 1;
    if (!lws_get_opaque_user_data(wsi) || link->is_closing)
        return 1;
    if (buf_failed(sending))
        return 0;
    len = sending->len - LWS_PRE;
    if (lws_write(wsi, (unsigned char *)sending->data + LWS_PRE, len, LWS_WRITE_TEXT) < (int)len)
        return -1;
    return 0;
}

/* There was no room and is some again, so the peer has read: slow is not dead. (The answer to a ping
 * would be late, since the ping stands behind all that the peer has not read.) */
static void note_progress(struct ws_link *link)
{
    if (link->is_choked)
        lws_validity_confirmed(link->connection.wsi);
    link->is_choked = false;
}

static int on_writable(struct ws_link *link)
{
    struct lws *wsi = link->connection.wsi;
    int sent = 0;

    if (link->is_closing) {
        /* Asking for it again would hang up before the peer's answer, and a hang-up with bytes of
         * the peer unread makes TCP throw away what we sent last. */
        if (link->end.by_peer || link->close_given)
            return 0;
        link->close_given = true;
        lws_close_reason(wsi, (enum lws_close_status)link->end.close_code,
                         (unsigned char *)link->end.reason, strlen(link->end.reason));
        return -1;
    }
    note_progress(link);
    for (int i = 0; i < WRITES_PER_ROUND && sent == 0; i++) {
        sent = send_one(link);
        if (sent == 1 && !lws_get_opaque_user_data(wsi))
            return -1; /* freed by its owner */
        if (sent == 0 && lws_send_pipe_choked(wsi)) {
            link->is_choked = send_room_is_full(lws_get_socket_fd(wsi));
            break;
        }
    }
    if (link->sending.cap > SEND_KEEP_BYTES)
        buf_free(&link->sending);
    if (sent == 0 || link->is_closing)
        lws_callback_on_writable(wsi);
    return sent < 0 ? -1 : 0;
}

static int on_open(struct ws_link *link)
{
    struct lws *wsi = link->connection.wsi;

    link->is_open = true;
    send_room_limit(lws_get_socket_fd(wsi));
    connection_set_limit(&link->connection, 0);
    link->handlers->on_open(link->user);
    if (lws_get_opaque_user_data(wsi))
        lws_callback_on_writable(wsi);
    return 0;
}

static void on_gone(struct ws_link *link)
{
    struct err err = {0};

    if (link->is_closing) {
        finish_closed(link);
        return;
    }
    if (!link->is_open) {
        err_set(&err, ERR_NETWORK, "the server closed the connection without an answer");
        connection_add_context(&link->connection, &err);
        finish_failed(link, &err);
        return;
    }
    link->end.kind = WS_END_LOST;
    err_set(&link->end.err, ERR_NETWORK, "the connection broke, or the peer answered no ping");
    finish(link);
}

static int on_lws(void *owner, enum lws_callback_reasons reason, void *in, size_t len)
{
    struct ws_link *link = owner;

    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        return on_answer(link);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        return on_open(link);
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_received(link, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writable(link);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        on_peer_close(link, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        on_gone(link);
        return 0;
    default:
        return 0;
    }
}

static void on_failed(void *owner, const struct err *err)
{
    finish_failed(owner, err);
}

static void on_limit(void *owner)
{
    struct ws_link *link = owner;
    struct err err = {0};

    if (link->is_open) {
        finish_closed(link);
        return;
    }
    if (link->is_closing) {
        err_set(&err, ERR_CANCELLED, "closed before it was open");
    } else {
        err_set(&err, ERR_TIMEOUT, "no WebSocket within %.3g s: %s is still missing",
                (double)link->handshake_limit_ms / 1000, connection_awaited(&link->connection));
        connection_add_context(&link->connection, &err);
    }
    finish_failed(link, &err);
}

static const struct connection_handlers connection_handlers = {
    .on_lws = on_lws,
    .on_failed = on_failed,
    .on_limit = on_limit,
};

struct ws_link *ws_link_open(struct net_context *context, const struct ws_link_options *options,
                             const struct ws_link_handlers *handlers, void *user, struct err *err)
{
    struct ws_link *link = calloc(1, sizeof(*link));

    if (!link) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    link->handlers = handlers;
    link->user = user;
    link->handshake_limit_ms =
        options->handshake_limit_ms ? options->handshake_limit_ms : WS_LINK_HANDSHAKE_LIMIT_MS;
    link->close_limit_ms =
        options->close_limit_ms ? options->close_limit_ms : WS_LINK_CLOSE_LIMIT_MS;
    buf_init(&link->received, options->max_message ? options->max_message : WS_LINK_MAX_MESSAGE);
    buf_init(&link->sending, WS_LINK_MAX_SENT + LWS_PRE);
    if (connection_init(&link->connection, context, &connection_handlers, link, options->url,
                        options->headers, options->header_count, err) != 0)
        goto fail;
    link->connection.keepalive = (lws_retry_bo_t){
        .secs_since_valid_ping =
            options->ping_after_s ? options->ping_after_s : WS_LINK_PING_AFTER_S,
        .secs_since_valid_hangup =
            options->hangup_after_s ? options->hangup_after_s : WS_LINK_HANGUP_AFTER_S,
    };
    connection_set_limit(&link->connection, link->handshake_limit_ms);
    if (connection_start(&link->connection, err) != 0)
        goto fail;
    return link;
fail:
    ws_link_free(link);
    return NULL;
}

void ws_link_wake(struct ws_link *link)
{
    if (link->is_open && !link->is_closing && link->connection.wsi)
        lws_callback_on_writable(link->connection.wsi);
}

void ws_link_close(struct ws_link *link, unsigned code, const char *reason)
{
    if (link->has_ended || link->is_closing)
        return;
    keep_close(link, false, code, reason, strlen(reason));
    if (link->is_open) {
        lws_callback_on_writable(link->connection.wsi);
    } else {
        connection_drop(&link->connection);
        connection_set_limit(&link->connection, 1); /* on_end must not come from in here */
    }
}

void ws_link_free(struct ws_link *link)
{
    if (!link)
        return;
    connection_free(&link->connection);
    buf_free(&link->received);
    buf_free(&link->sending);
    free(link);
}
