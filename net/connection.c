#include "net/connection.h"

#include "common/clock.h"
#include "net/connect_failure.h"
#include "net/connection_private.h"
#include "net/net_context_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
void connection_attempt_failed(struct connection *connection, const struct err *err)
{
    net_timer_stop(&connection->attempt);
    /* Addresses come best first: why the first did not do is what is worth knowing. */
    if (connection->phase != CONNECTION_CONNECT || connection->next_address == 1)
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
    connection_attempt_failed(connection, &err);
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

static enum net_route route_of(const struct connection *connection)
{
    if (!connection->proxy.host)
        return NET_ROUTE_DIRECT;
    return url_is_secure(&connection->url) ? NET_ROUTE_HTTPS_PROXY : NET_ROUTE_HTTP_PROXY;
}

/* libwebsockets would look the proxy's name up itself, and block. */
static void set_proxy_address(struct connection *connection, struct lws_vhost *vhost,
                              const char *address)
{
    const struct proxy *proxy = &connection->proxy;
    struct buf place = BUF_INIT(HOST_MAX_BYTES);

    if (proxy->credentials)
        buf_printf(&place, "%s@", proxy->credentials);
    buf_printf(&place, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address, proxy->port);
    lws_set_proxy(vhost, buf_text(&place));
    buf_free(&place);
}

static void connect_to(struct connection *connection, const char *address)
{
    struct net_context *context = connection->context;
    struct lws_vhost *vhost = context->ways[route_of(connection)].vhost;
    struct buf host = BUF_INIT(HOST_MAX_BYTES);
    struct lws_client_connect_info info = {
        .context = context->lws,
        .vhost = vhost,
        .address = connection->proxy.host ? connection->url.host : address,
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

    if (connection->proxy.host)
        set_proxy_address(connection, vhost, address);
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
    /* It failed at once, and libwebsockets says no reason then; connect(2) left one, unless closing
     * the socket has overwritten it. */
    connection->wsi = NULL;
    connect_failure_describe(NULL, 0, errno == EBADF ? 0 : errno, connection->url.host, &err);
    connection_attempt_failed(connection, &err);
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

void connection_try_addresses(struct connection *connection,
                              const struct resolver_addresses *addresses)
{
    connection->addresses = *addresses;
    connection->next_address = 0;
    try_next_address(connection);
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
    connection_try_addresses(connection, addresses);
}

static void on_start(struct net_timer *timer)
{
    struct connection *connection = OWNER_OF(timer, start);
    const char *host = connection->proxy.host ? connection->proxy.host : connection->url.host;
    struct resolver_addresses known;
    struct err err = {0};

    if (resolver_knows(host, &known)) {
        connection_try_addresses(connection, &known);
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
    const struct url *url = &connection->url;
    bool is_secure = url_is_secure(url);

    if (is_secure && strlen(url->host) > TLS_HOST_MAX)
        return err_set(err, ERR_CONFIG, "the host name is too long for TLS");
    if (is_secure && strchr(url->host, ':'))
        return err_set(err, ERR_CONFIG, "TLS needs a host name or an IPv4 address, not %s",
                       url->host);
    proxy_free(&connection->proxy);
    if (proxy_choose(&connection->context->proxies, url, &connection->proxy, err) != 0)
        return -1;
    if (net_context_prepare(connection->context, route_of(connection), is_secure, err) != 0)
        return -1;
    connection->phase = CONNECTION_LOOKUP;
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
    if (connection->proxy.host)
        err_add_context(err, "through the proxy %s port %u", connection->proxy.host,
                        connection->proxy.port);
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
    proxy_free(&connection->proxy);
    connection->headers = NULL;
    connection->header_count = 0;
}
