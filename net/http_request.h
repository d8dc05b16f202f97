/*
 * One HTTP or HTTPS request on a connection of its own, with one answer. It ends with exactly one
 * call of on_done, from the loop and never from inside http_request_start(), and frees itself after
 * that; or without one, by http_request_cancel(). No Accept-Encoding is ever sent, so that bodies
 * come as they are; redirects are answers like others; proxies are not used.
 */
#ifndef NET_HTTP_REQUEST_H
#define NET_HTTP_REQUEST_H

#include "common/buf.h"
#include "common/err.h"
#include "net/net_context.h"
#include "net/net_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_REQUEST_MAX_BODY ((size_t)1024 * 1024)
#define HTTP_REQUEST_TOTAL_LIMIT_MS 30000
#define HTTP_HEADER_MAX 1024 /* of the answer's header that the caller wants, with the NUL */

struct http_request;

/* Writes `len` bytes of the request's body, those from `offset` on. -1 and `err` end the request. */
typedef int http_read_fn(void *user, size_t offset, char *into, size_t len, struct err *err);

/* Takes a piece of the answer's body. -1 and `err` end the request. */
typedef int http_data_fn(void *user, int status, const char *data, size_t len, struct err *err);

struct http_request_options {
    const char *method; /* "GET", "POST", ... */
    const char *url;    /* http or https; copied */
    const struct net_header *headers;
    size_t header_count;
    const void *body; /* copied; Content-Length is added. NULL: none, or `read_body` has it */
    size_t body_len;
    /* For bodies that are better not in memory as a whole; NULL: none. Both get `user`. */
    http_read_fn *read_body; /* `body_len` bytes in all, read as they are sent */
    http_data_fn *on_data;   /* gets the answer's body; http_response.body stays empty then */
    /* 0 means the constant above. */
    size_t max_body;         /* of the answer, bytes */
    uint64_t total_limit_ms; /* from the start to the last byte */
    /* In place of the total: until the answer begins, and then between two pieces of it. 0: none. */
    uint64_t silence_limit_ms;
    bool cut_body; /* a longer body is cut at max_body; otherwise it is an ERR_LIMIT */
    /* A header of the answer: lower case, with the colon, a constant. NULL: none is wanted. */
    const char *answer_header;
};

struct http_response {
    int status;
    char content_type[64];        /* cut when longer; "" when absent */
    char header[HTTP_HEADER_MAX]; /* options.answer_header; "" when absent or longer */
    struct buf body;              /* on_done may take it with buf_take() */
    bool body_cut;
};

/* One of the two: `response`, any status, or NULL and `err`. Both are gone when it returns. */
typedef void http_done_fn(void *user, struct http_response *response, const struct err *err);

/* NULL and `err` for a bad URL, no memory, or certificates that cannot be read. */
struct http_request *http_request_start(struct net_context *context,
                                        const struct http_request_options *options,
                                        http_done_fn *on_done, void *user, struct err *err);

/* Drops it; on_done is not called. Not after on_done was called. NULL is fine. */
void http_request_cancel(struct http_request *request);

#endif
