/*
 * Where the control plane is reached (B-201..B-203, D-32): one trailing slash or more is trimmed,
 * ids are percent-encoded. Pure.
 */
#ifndef BRIDGE_CONTROL_PLANE_ADDRESSES_H
#define BRIDGE_CONTROL_PLANE_ADDRESSES_H

#include "common/buf.h"

#include <stdbool.h>

struct address_input {
    const char *control_plane;
    const char *session_id;
    const char *sandbox_id;
    const char *token; /* only in the URL when `credentials_in_query` */
    bool credentials_in_query;
};

/* Appends ".../sessions/<id>/ws?type=sandbox" with the scheme ws or wss. A URL that carries a
 * `token` parameter of its own keeps its query and gets ours appended. */
void address_print_websocket(const struct address_input *input, struct buf *out);

/* Appends ".../sessions/<id><path><last>" with the scheme as it is; `last` is percent-encoded and may
 * be NULL. No credential is added, but a query of the control plane's URL is kept. */
void address_print_endpoint(const struct address_input *input, const char *path, const char *last,
                            struct buf *out);

/* The control plane's URL says itself that credentials go into the query. */
bool address_wants_query_auth(const char *control_plane);

#endif
