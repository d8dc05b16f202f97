#include "net/connection.h"

#include "common/clock.h"
#include "net/connect_failure.h"
#include "net/net_context_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST_MAX_BYTES 512

/* Another address gets its turn after this, also when the whole limit is small. */
#define ATTEMPT_LEAST_MS 250

/* SSL buffers and libwebsockets cut longer names, and would verify the wrong one. */
#define TLS_HOST_MAX 120

#define OWNER_OF(timer, member) \
    ((struct connection *)(void *)((char *)(timer)-offsetof(struct connection, member)))

static void try_next_address(struct connection *connection);

static void fail(struct connection *connection, struct err *err)
{
    const struct err copy = *err;

    net_timer_stop(&connection->attempt);
    connection->handlers->on_failed(connection->owner, &copy);
}

/* One address did not do. */
static void on_attempt_failed(struct connection *connection, const struct err *err)
{
    net_timer_stop(&connection->attempt);
    connection->failure = *err;
    if (connection->phase == CONNECTION_CONNECT) {
        try_next_address(connection);
        return;
    }
    connection_add_context(connection, &connection->failure);
    fail(connection, &connection->failure);
}

static void on_attempt_limit(struct net_timer *timer)
{
    struct connection *connection = OWNER_OF(timer, attempt);
    struct err err = {0};

    err_set(&err, ERR_TIMEOUT, "no answer from %s",
            connection->addresses.text[connection->next_address - 1]);
    on_attempt_failed(connection, &err);
}

static void release_wsi(struct connection *connection)
{
    struct net_context *context = connection->context;
    struct lws *wsi = connection->wsi;

    connection->wsi = NULL;
    if (!wsi)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    if (wsi == context->current)
        return; /* connection_on_lws() closes it on the way out */
    /* Another connection's callback may be walking libwebsockets' lists. */
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK,
                    context->depth > 0 ? LWS_TO_KILL_ASYNC : LWS_TO_KILL_SYNC);
}

/* A slow address must not use up the time of the others. */
static void start_attempt_limit(struct connection *connection)
{
    size_t left = connection->addresses.count - connection->next_address;
    uint64_t now = clock_monotonic_ms();
    uint64_t share;

    if (left == 0 || !connection->limit.timers)
        return;
    share = connection->limit.due_ms > now ? (connection->limit.due_ms - now) / (left + 1) : 0;
    net_timer_start(&connection->context->timers, &connection->attempt,
                    share > ATTEMPT_LEAST_MS ? share : ATTEMPT_LEAST_MS, on_attempt_limit);
}

static void connect_to(struct connection *connection, const char *address)
{
    struct net_context *context = connection->context;
    struct buf host = BUF_INIT(HOST_MAX_BYTES);
    struct lws_client_connect_info info = {
        .context = context->lws,
        .vhost = context->vhost,
        .address = address,
        .port = connection->url.port,
        .path = connection->url.target,
        .method = connection->method,
        .alpn = "http/1.1",
        .local_protocol_name = NET_PROTOCOL_NAME,
        .ietf_version_or_minus_one = -1,
        .ssl_connection =
            LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (url_is_secure(&connection->url) ? LCCSCF_USE_SSL : 0),
        .opaque_user_data = connection,
        .retry_and_idle_policy = &connection->keepalive,
    };
    struct lws *wsi;
    struct err err = {0};

    url_print_host(&connection->url, &host);
    info.host = buf_text(&host);
    connection->connecting = true;
    errno = 0;
    wsi = lws_client_connect_via_info(&info);
    connection->connecting = false;
    buf_free(&host);
    if (wsi) {
        connection->wsi = wsi;
        return;
    }
    /* It failed at once, and libwebsockets says no reason then; connect(2) left one. */
    connection->wsi = NULL;
    connect_failure_describe(NULL, 0, errno, connection->url.host, &err);
    on_attempt_failed(connection, &err);
}

static void try_next_address(struct connection *connection)
{
    release_wsi(connection);
    if (connection->next_address == connection->addresses.count) {
        connection_add_context(connection, &connection->failure);
        fail(connection, &connection->failure);
        return;
    }
    connection->phase = CONNECTION_CONNECT;
    connection->next_address++;
    start_attempt_limit(connection);
    connect_to(connection, connection->addresses.text[connection->next_address - 1]);
}

static void on_addresses(void *user, const struct resolver_addresses *addresses,
                         const struct err *err)
{
    struct connection *connection = user;

    connection->lookup = NULL;
    if (err) {
        connection->failure = *err;
        fail(connection, &connection->failure);
        return;
    }
    connection->addresses = *addresses;
    try_next_address(connection);
}

static void on_start(struct net_timer *timer)
{
    struct connection *connection = OWNER_OF(timer, start);
    const char *host = connection->url.host;
    struct err err = {0};

    if (resolver_is_literal(host)) {
        connection->addresses.count = 1;
        strcpy(connection->addresses.text[0], host);
        try_next_address(connection);
        return;
    }
    connection->lookup =
        resolver_start(connection->context->loop, host, on_addresses, connection, &err);
    if (!connection->lookup)
        fail(connection, &err);
}

static void on_limit(struct net_timer *timer)
{
    struct connection *connection = OWNER_OF(timer, limit);

    connection->handlers->on_limit(connection->owner);
}

int connection_init(struct connection *connection, struct net_context *context,
                    const struct connection_handlers *handlers, void *owner, const char *url,
                    const struct net_header *headers, size_t header_count, struct err *err)
{
    *connection = (struct connection){.context = context, .handlers = handlers, .owner = owner};
    if (url_parse(url, &connection->url, err) != 0)
        return -1;
    connection->headers = calloc(header_count + 1, sizeof(*connection->headers));
    if (!connection->headers)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < header_count; i++) {
        struct connection_header *copy = &connection->headers[i];

        if (strpbrk(headers[i].value, "\r\n") || strpbrk(headers[i].name, "\r\n"))
            return err_set(err, ERR_CONFIG, "the value for the header %s holds a line break",
                           headers[i].name);
        copy->name = strdup(headers[i].name);
        copy->value = strdup(headers[i].value);
        connection->header_count++;
        if (!copy->name || !copy->value)
            return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    return 0;
}

int connection_start(struct connection *connection, struct err *err)
{
    if (url_is_secure(&connection->url)) {
        if (strlen(connection->url.host) > TLS_HOST_MAX)
            return err_set(err, ERR_CONFIG, "the host name is too long for TLS");
        if (net_context_prepare_tls(connection->context, err) != 0)
            return -1;
    }
    connection->phase = CONNECTION_LOOKUP;
    connection->addresses.count = 0;
    connection->next_address = 0;
    net_timer_start(&connection->context->timers, &connection->start, 0, on_start);
    return 0;
}

void connection_set_limit(struct connection *connection, uint64_t after_ms)
{
    if (after_ms == 0)
        net_timer_stop(&connection->limit);
    else
        net_timer_start(&connection->context->timers, &connection->limit, after_ms, on_limit);
}

const char *connection_awaited(const struct connection *connection)
{
    static const char *const names[] = {
        [CONNECTION_LOOKUP] = "the look-up of the host name",
        [CONNECTION_CONNECT] = "the connection",
        [CONNECTION_ANSWER] = "the answer",
    };

    return names[connection->phase];
}

void connection_add_context(const struct connection *connection, struct err *err)
{
    err_add_context(err, "connect to %s port %u", connection->url.host, connection->url.port);
}

void connection_drop(struct connection *connection)
{
    net_timer_stop(&connection->start);
    net_timer_stop(&connection->attempt);
    net_timer_stop(&connection->limit);
    if (connection->lookup)
        resolver_cancel(connection->lookup);
    connection->lookup = NULL;
    release_wsi(connection);
}

void connection_free(struct connection *connection)
{
    connection_drop(connection);
    for (size_t i = 0; i < connection->header_count; i++) {
        free(connection->headers[i].name);
        free(connection->headers[i].value);
    }
    free(connection->headers);
    url_free(&connection->url);
    connection->headers = NULL;
    connection->header_count = 0;
}

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
    on_attempt_failed(connection, &err);
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
