#include "bridge/control_plane/addresses.h"

#include "common/url.h"

#include <string.h>

/* The scheme of a WebSocket that belongs to an HTTP address; anything else stays as it is. */
static const char *print_scheme(const char *url, struct buf *out)
{
    static const char secure[] = "https://", plain[] = "http://";

    if (strncmp(url, secure, sizeof secure - 1) == 0) {
        buf_puts(out, "wss://");
        return url + sizeof secure - 1;
    }
    if (strncmp(url, plain, sizeof plain - 1) == 0) {
        buf_puts(out, "ws://");
        return url + sizeof plain - 1;
    }
    return url;
}

/* What follows the scheme up to the session; returns the query of the control plane's URL, or "". A
 * fragment would swallow what is added, and is nobody's business but a browser's. */
static const char *print_session(const char *rest, const char *session_id, struct buf *out)
{
    size_t len = strcspn(rest, "?#");
    const char *query = rest[len] == '?' ? rest + len : "";

    while (len > 0 && rest[len - 1] == '/')
        len--;
    buf_append(out, rest, len);
    buf_puts(out, "/sessions/");
    url_encode(session_id, out);
    return query;
}

void address_print_endpoint(const struct address_input *input, const char *path, const char *last,
                            struct buf *out)
{
    const char *query = print_session(input->control_plane, input->session_id, out);

    buf_puts(out, path);
    if (last)
        url_encode(last, out);
    buf_append(out, query, strcspn(query, "#"));
}

void address_print_websocket(const struct address_input *input, struct buf *out)
{
    const char *rest = print_scheme(input->control_plane, out);
    const char *query = print_session(rest, input->session_id, out);

    buf_puts(out, "/ws?type=sandbox");
    if (query[0] && query[1] && query[1] != '#') {
        buf_putc(out, '&');
        buf_append(out, query + 1, strcspn(query + 1, "#"));
    }
    if (!input->credentials_in_query)
        return;
    if (!address_wants_query_auth(input->control_plane)) {
        buf_puts(out, "&token=");
        url_encode(input->token, out);
    }
    buf_puts(out, "&sandboxId=");
    url_encode(input->sandbox_id, out);
}

bool address_wants_query_auth(const char *control_plane)
{
    return url_has_parameter(control_plane, "token");
}
