/*
 * The one callback of libwebsockets: finds the connection, does what all connections have in common
 * and hands the rest on to the owner.
 */
#include "net/connection.h"

#include "net/connect_failure.h"
#include "net/connection_private.h"
#include "net/net_context_private.h"

#include <stdio.h>
#include <sys/socket.h>

/* `in` points at libwebsockets' write position, with `len` bytes of room. */
static int append_headers(struct connection *connection, void *in, size_t len)
{
    char **at = in;
    char *end = *at + len;

    net_timer_stop(&connection->attempt);
    connection->phase = CONNECTION_ANSWER;
    for (size_t i = 0; i < connection->header_count; i++) {
        const struct connection_header *header = &connection->headers[i];
        int room = (int)(end - *at);
        int written = snprintf(*at, (size_t)room, "%s: %s\r\n", header->name, header->value);

        if (written >= room)
            return -1;
        *at += written;
    }
    if (connection->has_body) {
        lws_client_http_body_pending(connection->wsi, 1);
        lws_callback_on_writable(connection->wsi);
    }
    return 0;
}

/* libwebsockets tells of a refused connection without saying so; the socket still knows. */
static int socket_error(struct lws *wsi)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (getsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return 0;
    return error;
}

static void on_connection_error(struct connection *connection, struct lws *wsi, const char *text,
                                size_t len)
{
    int sys = socket_error(wsi);
    struct err err = {0};

    connection->wsi = NULL;
    if (connection->connecting)
        return; /* connect_to() sees the NULL and does the rest */
    connect_failure_describe(text, len, sys, connection->url.host, &err);
    connection_attempt_failed(connection, &err);
}

static int dispatch(struct connection *connection, struct lws *wsi,
                    enum lws_callback_reasons reason, void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        connection->wsi = wsi;
        return append_headers(connection, in, len);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lws_set_opaque_user_data(wsi, NULL);
        on_connection_error(connection, wsi, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        lws_set_opaque_user_data(wsi, NULL);
        connection->wsi = NULL;
        connection->handlers->on_lws(connection->owner, reason, in, len);
        return 0;
    default:
        return connection->handlers->on_lws(connection->owner, reason, in, len);
    }
}

int connection_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t len)
{
    struct connection *connection;
    struct net_context *context;
    struct lws *outer;
    int result;

    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP:
    case LWS_CALLBACK_RECEIVE_CLIENT_HTTP_READ:
    case LWS_CALLBACK_CLIENT_HTTP_WRITEABLE:
    case LWS_CALLBACK_COMPLETED_CLIENT_HTTP:
    case LWS_CALLBACK_CLOSED_CLIENT_HTTP:
        break;
    default:
        return 0;
    }
    connection = lws_get_opaque_user_data(wsi);
    if (!connection)
        return -1; /* dropped by its owner */
    context = connection->context;
    outer = context->current;
    context->current = wsi;
    context->depth++;
    result = dispatch(connection, wsi, reason, in, len);
    context->depth--;
    context->current = outer;
    /* The connection may be freed by now; the wsi lives until we return. */
    return lws_get_opaque_user_data(wsi) ? result : -1;
}
