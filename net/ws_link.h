/*
 * One client WebSocket, from the look-up of the name to the last byte. It is opened once and ends
 * once; a new connection is a new link.
 *
 * The owner gets callbacks from the loop, never from inside a call of its own, in this order:
 * on_open at most once, then on_message and on_writable, and on_end exactly once, last. In any of
 * them the owner may call any ws_link function, ws_link_free() included. The link stays valid after
 * on_end until ws_link_free().
 *
 * Sending is a pull: ws_link_wake() says that there is something, on_writable asks for the next
 * message whenever the socket can take one. So order and memory stay with the owner's queue, and at
 * most one message is between it and the socket. A message that was given is as good as sent: it is
 * lost only with the connection.
 *
 * Redirects are followed as B-205 wants. Pings and the limit for their answer: B-206.
 */
#ifndef NET_WS_LINK_H
#define NET_WS_LINK_H

#include "common/buf.h"
#include "common/err.h"
#include "net/net_context.h"
#include "net/net_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_LINK_MAX_MESSAGE ((size_t)1024 * 1024) /* B-207 */
#define WS_LINK_MAX_SENT ((size_t)16 * 1024 * 1024)
#define WS_LINK_HANDSHAKE_LIMIT_MS 10000 /* B-205 */
#define WS_LINK_CLOSE_LIMIT_MS 2000
#define WS_LINK_PING_AFTER_S 20   /* B-206 */
#define WS_LINK_HANGUP_AFTER_S 30 /* B-206 */
#define WS_LINK_REASON_MAX 123    /* RFC 6455, 5.5: a control frame's payload, without the code */

struct ws_link;

struct ws_link_options {
    const char *url; /* ws, wss, http or https; copied */
    const struct net_header *headers;
    size_t header_count;
    /* 0 means the constant above. */
    size_t max_message;          /* bytes; a longer one closes with 1009 */
    uint64_t handshake_limit_ms; /* name look-up, TCP, TLS and upgrade together, redirects too */
    uint64_t close_limit_ms;     /* from our or the peer's Close to our hanging up */
    uint16_t ping_after_s;       /* without a sign of life of the peer */
    uint16_t hangup_after_s;     /* likewise; more than ping_after_s */
};

enum ws_end_kind {
    WS_END_REFUSED, /* the peer answered the handshake with an HTTP status: see `status` */
    WS_END_FAILED,  /* no connection came about: see `err` */
    WS_END_CLOSED,  /* the peer or we closed with a Close frame: see close_code */
    WS_END_LOST,    /* the connection broke, or the peer fell silent: see `err` */
};

struct ws_end {
    enum ws_end_kind kind;
    int status;                          /* REFUSED: the HTTP status */
    unsigned close_code;                 /* CLOSED: 1005 when the peer's Close had none */
    bool by_peer;                        /* CLOSED: the peer began */
    char reason[WS_LINK_REASON_MAX + 1]; /* CLOSED: text that came with the code */
    struct err err; /* always set to something a person can read; no credentials in it */
};

struct ws_link_handlers {
    void (*on_open)(void *user);

    /* A whole message, text or binary. `data[len]` is a NUL; the owner may write into it, and loses
     * it when it returns. */
    void (*on_message)(void *user, char *data, size_t len);

    /* Appends the next message to `out` and returns true, or returns false when there is none:
     * nothing is asked then until ws_link_wake(). A message that does not fit `out` is skipped. */
    bool (*on_writable)(void *user, struct buf *out);

    void (*on_end)(void *user, const struct ws_end *end);
};

/* Starts connecting. `handlers` must live as long as the link. NULL and `err` for a bad URL or no
 * memory, or certificates that cannot be read. */
struct ws_link *ws_link_open(struct net_context *context, const struct ws_link_options *options,
                             const struct ws_link_handlers *handlers, void *user, struct err *err);

/* There is something to send. Cheap; before on_open it is remembered. */
void ws_link_wake(struct ws_link *link);

/* Sends Close with this code (always one, for an empty Close is never answered by the control
 * plane) and waits for the peer's within close_limit_ms. Nothing is asked for or handed on any
 * more; on_end follows in every case. Before on_open it gives up connecting. */
void ws_link_close(struct ws_link *link, unsigned code, const char *reason);

/* Drops the connection, if there is one, and frees the link. No callback follows. NULL is fine. */
void ws_link_free(struct ws_link *link);

#endif
