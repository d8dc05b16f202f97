/*
 * Which HTTP proxy leads to a URL, as HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say (B-111).
 * The way through one is always a tunnel (CONNECT), so that the proxy sees no token of ours. This
 * machine itself is never behind a proxy (D-31, S-47). Pure. Private to net/.
 */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include "common/err.h"
#include "common/url.h"

#include <stdbool.h>
#include <stdint.h>

/* The variables' values, or NULL. They belong to the environment. */
struct proxy_settings {
    const char *http;
    const char *https;
    const char *all;
    const char *no; /* hosts without proxy: "a.b, .c.d, 10.0.0.0/8, e:8080" or "*" */
};

struct proxy {
    char *host; /* NULL: none, go straight */
    uint16_t port;
    char *credentials; /* "user:password", or NULL */
};

/* Reads the variables; those in lower case win, as everywhere. */
void proxy_settings_read(struct proxy_settings *settings);

/* -1 and an ERR_CONFIG for a proxy that we cannot use. The text names the variable, not its value,
 * which may hold a password. */
int proxy_choose(const struct proxy_settings *settings, const struct url *url, struct proxy *proxy,
                 struct err *err);

void proxy_free(struct proxy *proxy);

#endif
