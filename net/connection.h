/*
 * What WebSocket links, requests and streams have in common: from a URL to a request that is sent,
 * trying each address of the host in turn, within a limit; and the one callback of libwebsockets,
 * which is handed on to the owner. Embedded in its owner. Private to net/.
 *
 * The owner gets no callback inside connection_start(), and none after connection_drop(), which it
 * may call anywhere.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "common/buf.h"
#include "common/err.h"
#include "common/url.h"
#include "net/net_context.h"
#include "net/net_header.h"
#include "net/net_timer.h"
#include "net/proxy.h"
#include "net/resolver.h"

#include <libwebsockets.h>
#include <stdbool.h>

struct connection_handlers {
    /* A callback of libwebsockets for this connection from LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP on.
     * -1 closes. When the reason says closed, the connection is gone already. */
    int (*on_lws)(void *owner, enum lws_callback_reasons reason, void *in, size_t len);

    /* No connection, or it broke before an answer. */
    void (*on_failed)(void *owner, const struct err *err);

    /* The limit of connection_set_limit() has passed. */
    void (*on_limit)(void *owner);
};

enum connection_phase {
    CONNECTION_LOOKUP,
    CONNECTION_CONNECT, /* TCP and TLS */
    CONNECTION_ANSWER,  /* the request is on its way */
};

struct connection_header {
    char *name;
    char *value;
};

struct connection {
    struct net_context *context;
    const struct connection_handlers *handlers;
    void *owner;
    const char *method; /* NULL: a WebSocket. Static text */
    struct url url;
    struct connection_header *headers;
    size_t header_count;
    bool has_body; /* the owner writes one in LWS_CALLBACK_CLIENT_HTTP_WRITEABLE */
    lws_retry_bo_t keepalive;

    struct proxy proxy;
    enum connection_phase phase;
    struct resolver_lookup *lookup;
    struct resolver_addresses addresses;
    size_t next_address;
    struct lws *wsi;
    bool connecting; /* inside lws_client_connect_via_info() */
    struct err failure;
    struct net_timer start;
    struct net_timer attempt; /* limit of one address, when there are more */
    struct net_timer limit;
};

/* Copies the headers. A zeroed connection may be dropped. */
int connection_init(struct connection *connection, struct net_context *context,
                    const struct connection_handlers *handlers, void *owner, const char *url,
                    const struct net_header *headers, size_t header_count, struct err *err);

/* Begins in the next round of the loop. Again after a connection_drop(). */
int connection_start(struct connection *connection, struct err *err);

/* Calls on_limit after that time, unless it is set anew or dropped; 0 only stops it. */
void connection_set_limit(struct connection *connection, uint64_t after_ms);

/* "the host name", "the connection", "the answer": what is waited for. */
const char *connection_awaited(const struct connection *connection);

/* Puts "connect to HOST port N: " before an error, with the proxy if there is one. */
void connection_add_context(const struct connection *connection, struct err *err);

/* Gives up: closes the socket, stops timers and the look-up. */
void connection_drop(struct connection *connection);

/* Drops it and frees what it owns, not the struct. */
void connection_free(struct connection *connection);

/* The one callback of libwebsockets. */
int connection_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t len);

#endif
