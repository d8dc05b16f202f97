/*
 * Where a redirect of the WebSocket handshake leads, and whether we go there (B-205). Pure. Private
 * to net/.
 */
#ifndef NET_REDIRECT_H
#define NET_REDIRECT_H

#include "common/err.h"
#include "common/url.h"

#include <stdbool.h>

#define REDIRECT_LIMIT 10 /* B-205 */

bool redirect_is_status(int status);

/* Fills `next` from the Location header's value seen from `from`. `same_origin` is false when the
 * scheme, host or port differ: Authorization must not go there. -1 for an unusable place, or one
 * that leaves TLS. */
int redirect_resolve(const struct url *from, const char *location, struct url *next,
                     bool *same_origin, struct err *err);

#endif
