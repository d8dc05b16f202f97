/*
 * URLs of the control plane, of OpenCode and of git servers: taken apart and built. Pure. A
 * struct url owns its strings (url_free or AUTO_URL).
 */
#ifndef COMMON_URL_H
#define COMMON_URL_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct url {
    char *scheme;   /* lower case: http, https, ws, wss */
    char *userinfo; /* NULL when there is none */
    char *host;     /* without the brackets of an IPv6 address */
    uint16_t port;  /* the scheme's own when none was given */
    bool port_given;
    char *target; /* path and query, at least "/" ; no fragment */
};

/* Splits an absolute http, https, ws or wss URL. The error names no credentials. */
int url_parse(const char *text, struct url *url, struct err *err);
void url_free(struct url *url);

/* TLS is wanted: https or wss. */
bool url_is_secure(const struct url *url);

/* "host" or "host:port", with the brackets of IPv6, as a Host header wants it. */
void url_print_host(const struct url *url, struct buf *out);

/* Appends `text` percent-encoded: everything but A-Z a-z 0-9 - . _ ~ */
void url_encode(const char *text, struct buf *out);

/* Appends `text` with its %XX decoded; a "%" that begins none, and %00, stay as they are. */
void url_decode(const char *text, size_t len, struct buf *out);

/* The query of `target` has a parameter of that name. */
bool url_has_parameter(const char *target, const char *name);

static inline void cleanup_url(struct url *url)
{
    url_free(url);
}

#define AUTO_URL __attribute__((cleanup(cleanup_url)))

#endif
