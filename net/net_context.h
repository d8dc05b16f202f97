/*
 * One libwebsockets context on our uv loop: the ground that links, requests and streams stand on.
 * Create it before them, close it after them; it belongs to the loop's thread, like everything
 * in net/.
 *
 * Certificates: SSL_CERT_FILE, else the files of SSL_CERT_DIR, else the system's bundle. They are
 * read when the first TLS connection is opened, so that a process that never needs TLS does not pay
 * for them. A certificate that cannot be parsed is left out; the rest stays in use.
 */
#ifndef NET_NET_CONTEXT_H
#define NET_NET_CONTEXT_H

#include "common/err.h"

#include <uv.h>

struct net_context;

typedef void net_context_closed_fn(void *user);

/* The loop must outlive the context. NULL and `err` on failure. */
struct net_context *net_context_new(uv_loop_t *loop, struct err *err);

/*
 * Gives everything back. Links and streams must have been freed before, requests cancelled: their
 * owners would be called with nothing behind them. `on_closed` (may be NULL) is called once, from the loop,
 * when nothing of net/ is left on it; the context is freed then. A name look-up that is still under
 * way (it cannot be stopped) is not waited for: it may keep the loop alive until the resolver's own
 * limit.
 */
void net_context_close(struct net_context *context, net_context_closed_fn *on_closed, void *user);

/* "libwebsockets 4.3.5, mbed TLS 3.6.6": for --version. */
const char *net_context_versions(void);

#endif
