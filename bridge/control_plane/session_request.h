/*
 * One HTTP request to an endpoint of the session at the control plane, with the sandbox's
 * credential: attachments, commit signing. As net/http_request.h in all else.
 */
#ifndef BRIDGE_CONTROL_PLANE_SESSION_REQUEST_H
#define BRIDGE_CONTROL_PLANE_SESSION_REQUEST_H

#include "net/http_request.h"

struct session_request {
    const char *method;
    const char *control_plane; /* the URL of the launcher */
    const char *session_id;
    const char *token;
    const char *path;                 /* after the session: "/commit-signing" */
    const char *id;                   /* added to the path, percent-encoded; or NULL */
    const struct net_header *headers; /* added to the credential */
    size_t header_count;
    const void *body; /* copied; or NULL */
    size_t body_len;
    http_read_fn *read_body; /* or NULL; in place of `body` */
    http_data_fn *on_data;   /* or NULL */
    size_t max_body;
    uint64_t limit_ms;         /* of the whole request, */
    uint64_t silence_limit_ms; /* or of each silence in it; the other is 0 */
};

/* NULL and `err` when it could not be started. */
struct http_request *session_request_start(struct net_context *net,
                                           const struct session_request *request,
                                           http_done_fn *on_done, void *user, struct err *err);

#endif
