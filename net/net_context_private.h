/*
 * What a net_context is made of, for connection.c. Private to net/.
 */
#ifndef NET_NET_CONTEXT_PRIVATE_H
#define NET_NET_CONTEXT_PRIVATE_H

#include "net/net_context.h"
#include "net/net_timer.h"
#include "net/proxy.h"
#include "net/trust.h"

#include <libwebsockets.h>
#include <stdbool.h>

#define NET_PROTOCOL_NAME "oi"

/* libwebsockets reads and writes sockets and builds requests in one buffer of this size. */
#define NET_SERVICE_BUFFER_BYTES (16 * 1024)

/* Ways out of this machine. libwebsockets has the proxy in its vhosts and looks at it late, so each
 * way has a vhost of its own. */
enum net_route { NET_ROUTE_DIRECT, NET_ROUTE_HTTP_PROXY, NET_ROUTE_HTTPS_PROXY, NET_ROUTE_COUNT };

struct net_way {
    struct lws_vhost *vhost; /* NULL until it is needed */
    bool is_secure;          /* TLS is set up */
};

struct net_context {
    uv_loop_t *loop;
    struct lws_context *lws; /* libwebsockets sets it to NULL when it is done with it */
    struct net_way ways[NET_ROUTE_COUNT];
    struct trust_place trust_place;
    struct trust trust; /* read when the first connection needs TLS */
    struct proxy_settings proxies;
    struct net_timers timers;
    struct lws *current; /* the connection whose callback runs */
    unsigned depth;      /* of callbacks of libwebsockets that run */
    struct net_timer closing;
    net_context_closed_fn *on_closed;
    void *user;
};

/* Makes the way ready: its vhost and, for TLS, the trusted certificates. */
int net_context_prepare(struct net_context *context, enum net_route route, bool is_secure,
                        struct err *err);

#endif
