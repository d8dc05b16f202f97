/*
 * The calls to OpenCode (bridge.md 5.1), each a request of its own on the loopback. A call returns
 * NULL and `err` when it could not be started; otherwise its http_done_fn is called once, from the
 * loop, unless it is cancelled. Proxies are never used (D-31), nothing is ever asked for gzipped.
 *
 * OpenCode listens on IPv4 only (S-311), and in a root without /etc/hosts "localhost" is no name:
 * so the address is 127.0.0.1.
 */
#ifndef BRIDGE_OPENCODE_OPENCODE_API_H
#define BRIDGE_OPENCODE_OPENCODE_API_H

#include "net/http_request.h"

#include <stdint.h>

#define OPENCODE_ANSWER_MAX_BYTES ((size_t)256 * 1024)

/* OpenCode shrinks large images before it answers: ten megabytes take it seconds. */
#define OPENCODE_FILE_MS 20000

struct opencode_api;

struct opencode_api_options {
    struct net_context *net;
    uint16_t port;
    const char *username; /* HTTP Basic; NULL password: none */
    const char *password;
    uint64_t call_limit_ms;
    uint64_t fetch_limit_ms; /* for the messages */
};

/* Copies what it is given. NULL when out of memory. */
struct opencode_api *opencode_api_new(const struct opencode_api_options *options);
void opencode_api_free(struct opencode_api *api);

/* The directory that all calls mean from now on; NULL: the one OpenCode was started in, which may be
 * another, since it may be started before there is a checkout. -1 when out of memory. */
int opencode_api_set_directory(struct opencode_api *api, const char *directory);

/* For the event stream: its address, and the headers that go with every call. */
const char *opencode_api_events_url(const struct opencode_api *api);
const struct net_header *opencode_api_headers(const struct opencode_api *api, size_t *count);

struct http_request *opencode_get_session(struct opencode_api *api, const char *session_id,
                                          uint64_t limit_ms, http_done_fn *on_done, void *user,
                                          struct err *err);
struct http_request *opencode_create_session(struct opencode_api *api, http_done_fn *on_done,
                                             void *user, struct err *err);
/* `read_body` gives the `len` bytes of the body as they are sent; it gets `user`. Each of the files in
 * it adds OPENCODE_FILE_MS to the limit. */
struct http_request *opencode_post_prompt(struct opencode_api *api, const char *session_id,
                                          http_read_fn *read_body, size_t len, size_t file_count,
                                          http_done_fn *on_done, void *user, struct err *err);
struct http_request *opencode_abort(struct opencode_api *api, const char *session_id,
                                    http_done_fn *on_done, void *user, struct err *err);

/* The newest `limit` messages, or those before `before`, a page's cursor: the answer's `header`, "" when
 * nothing is older. The list is in the order of time; it is cut at `max_body`. */
struct opencode_page {
    unsigned limit;
    const char *before; /* or "" */
    size_t max_body;
};
struct http_request *opencode_get_messages(struct opencode_api *api, const char *session_id,
                                           const struct opencode_page *page, http_done_fn *on_done,
                                           void *user, struct err *err);

/* What OpenCode does: an object with the sessions that work. */
struct http_request *opencode_get_status(struct opencode_api *api, http_done_fn *on_done,
                                         void *user, struct err *err);

/* What waits for an answer, in all sessions: lists. */
struct http_request *opencode_get_permissions(struct opencode_api *api, http_done_fn *on_done,
                                              void *user, struct err *err);
struct http_request *opencode_get_questions(struct opencode_api *api, http_done_fn *on_done,
                                            void *user, struct err *err);

/* Nobody is there to answer: both say no (D-23). */
struct http_request *opencode_reject_permission(struct opencode_api *api, const char *permission_id,
                                                http_done_fn *on_done, void *user, struct err *err);
struct http_request *opencode_reject_question(struct opencode_api *api, const char *question_id,
                                              http_done_fn *on_done, void *user, struct err *err);

#endif
