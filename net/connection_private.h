/*
 * What the two files of a connection share: connection.c (names, addresses, limits) and
 * connection_lws.c (the callback of libwebsockets). Private to them.
 */
#ifndef NET_CONNECTION_PRIVATE_H
#define NET_CONNECTION_PRIVATE_H

#include "net/connection.h"

/* The address that was being tried did not do: the next, or the owner is told. */
void connection_attempt_failed(struct connection *connection, const struct err *err);

/* The name was looked up: tries these addresses in turn. */
void connection_try_addresses(struct connection *connection,
                              const struct resolver_addresses *addresses);

#endif
