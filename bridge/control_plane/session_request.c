#include "bridge/control_plane/session_request.h"

#include "bridge/control_plane/addresses.h"
#include "common/buf.h"

#include <string.h>

#define URL_MAX_BYTES ((size_t)8 * 1024)
#define TOKEN_MAX_BYTES ((size_t)16 * 1024)
#define HEADERS_MAX 4

struct http_request *session_request_start(struct net_context *net,
                                           const struct session_request *request,
                                           http_done_fn *on_done, void *user, struct err *err)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);
    AUTO_BUF struct buf authorization = BUF_INIT(TOKEN_MAX_BYTES);
    const struct address_input address = {.control_plane = request->control_plane,
                                          .session_id = request->session_id};
    struct net_header headers[HEADERS_MAX];
    struct http_request_options options = {
        .method = request->method,
        .headers = headers,
        .body = request->body,
        .body_len = request->body_len,
        .read_body = request->read_body,
        .on_data = request->on_data,
        .max_body = request->max_body,
        .total_limit_ms = request->limit_ms,
        .silence_limit_ms = request->silence_limit_ms,
    };
    struct http_request *started;

    address_print_endpoint(&address, request->path, request->id, &url);
    buf_printf(&authorization, "Bearer %s", request->token);
    if (buf_failed(&url) || buf_failed(&authorization) || request->header_count >= HEADERS_MAX) {
        err_set(err, ERR_LIMIT, "the address or the credential of the control plane is too long");
        return NULL;
    }
    headers[options.header_count++] =
        (struct net_header){"Authorization", buf_text(&authorization)};
    for (size_t i = 0; i < request->header_count; i++)
        headers[options.header_count++] = request->headers[i];
    options.url = buf_text(&url);
    started = http_request_start(net, &options, on_done, user, err);
    explicit_bzero(authorization.data, authorization.len);
    return started;
}
