#include "net/redirect.h"

#include "common/buf.h"

#include <string.h>
#include <strings.h>

#define LOCATION_MAX ((size_t)8 * 1024)

bool redirect_is_status(int status)
{
    return status == 300 || status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/* The absolute form of a reference as RFC 3986, 5.2 has it, without removing dot segments: servers
 * do that themselves. */
static void make_absolute(const struct url *from, const char *location, struct buf *out)
{
    size_t path_len = strcspn(from->target, "?");

    if (strstr(location, "://") && strcspn(location, "/?#") > strcspn(location, ":")) {
        buf_puts(out, location);
        return;
    }
    buf_printf(out, "%s:", from->scheme);
    if (strncmp(location, "//", 2) == 0) {
        buf_puts(out, location);
        return;
    }
    buf_puts(out, "//");
    url_print_host(from, out);
    if (*location == '/') {
        buf_puts(out, location);
        return;
    }
    if (*location != '?') {
        while (path_len > 0 && from->target[path_len - 1] != '/')
            path_len--;
    }
    buf_append(out, from->target, path_len);
    buf_puts(out, location);
}

int redirect_resolve(const struct url *from, const char *location, struct url *next,
                     bool *same_origin, struct err *err)
{
    AUTO_BUF struct buf absolute = BUF_INIT(LOCATION_MAX);

    *next = (struct url){0};
    make_absolute(from, location, &absolute);
    if (buf_failed(&absolute))
        return err_set(err, ERR_LIMIT, "the server redirects to a place that is too long");
    if (url_parse(buf_text(&absolute), next, err) != 0)
        return err_add_context(err, "the server redirects to an unusable place");
    if (url_is_secure(from) && !url_is_secure(next)) {
        url_free(next);
        return err_set(err, ERR_PROTOCOL, "the server redirects from TLS to a plain connection");
    }
    *same_origin = url_is_secure(from) == url_is_secure(next) && from->port == next->port &&
                   strcasecmp(from->host, next->host) == 0;
    return 0;
}
