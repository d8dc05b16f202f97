/*
 * Looks a host's addresses up without blocking the loop (uv_getaddrinfo, a thread of libuv's pool).
 * Private to net/.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "common/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define RESOLVER_ADDRESSES_MAX 8

/* As text, in the order in which they are to be tried (RFC 6724). */
struct resolver_addresses {
    size_t count;
    char text[RESOLVER_ADDRESSES_MAX][INET6_ADDRSTRLEN];
};

/* `err` is NULL on success. */
typedef void resolver_fn(void *user, const struct resolver_addresses *addresses,
                         const struct err *err);

struct resolver_lookup;

/* The addresses of a host that needs no look-up: 1.2.3.4, an IPv6 address without brackets, or localhost,
 * which is either loopback whatever a resolver would say (RFC 6761). */
bool resolver_knows(const char *host, struct resolver_addresses *addresses);

/* Calls `on_done` once, from the loop. NULL and `err` when it could not start. */
struct resolver_lookup *resolver_start(uv_loop_t *loop, const char *host, resolver_fn *on_done,
                                       void *user, struct err *err);

/* No callback any more. A look-up that a thread works on goes on to its own limit and frees itself
 * then. */
void resolver_cancel(struct resolver_lookup *lookup);

#endif
