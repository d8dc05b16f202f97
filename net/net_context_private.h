/*
 * What a net_context is made of, for connection.c. Private to net/.
 */
#ifndef NET_NET_CONTEXT_PRIVATE_H
#define NET_NET_CONTEXT_PRIVATE_H

#include "net/net_context.h"
#include "net/net_timer.h"
#include "net/trust.h"

#include <libwebsockets.h>
#include <stdbool.h>

#define NET_PROTOCOL_NAME "oi"

/* libwebsockets reads and writes sockets and builds requests in one buffer of this size. */
#define NET_SERVICE_BUFFER_BYTES (16 * 1024)

struct net_context {
    uv_loop_t *loop;
    struct lws_context *lws; /* libwebsockets sets it to NULL when it is done with it */
    struct lws_vhost *vhost;
    struct trust_place trust;
    bool knows_authorities; /* the trusted certificates are loaded */
    struct net_timers timers;
    struct lws *current; /* the connection whose callback runs */
    unsigned depth;      /* of callbacks of libwebsockets that run */
    struct net_timer closing;
    net_context_closed_fn *on_closed;
    void *user;
};

/* Loads the trusted certificates unless they are there. */
int net_context_prepare_tls(struct net_context *context, struct err *err);

#endif
