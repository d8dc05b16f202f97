/*
 * Puts what libwebsockets says about a failed connection into words that help, with the class that
 * decides what to do. Pure. Private to net/.
 */
#ifndef NET_CONNECT_FAILURE_H
#define NET_CONNECT_FAILURE_H

#include "common/err.h"

#include <stddef.h>

/* `text` is what came with LWS_CALLBACK_CLIENT_CONNECTION_ERROR (may be NULL), `sys` an errno seen
 * meanwhile, or 0; `host` is the name that the certificate should have been made out for. */
void connect_failure_describe(const char *text, size_t len, int sys, const char *host,
                              struct err *err);

#endif
