#include "common/url.h"

#include "common/ascii.h"
#include "common/cleanup.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define URL_PART_MAX 65536

static const struct {
    const char *name;
    uint16_t port;
    bool secure;
} schemes[] = {
    {"http", 80, false},
    {"https", 443, true},
    {"ws", 80, false},
    {"wss", 443, true},
};

static int scheme_index(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_LENGTH(schemes); i++) {
        if (strlen(schemes[i].name) == len && strncasecmp(schemes[i].name, name, len) == 0)
            return (int)i;
    }
    return -1;
}

static int parse_port(const char *text, size_t len, struct url *url, struct err *err)
{
    unsigned long port = 0;

    if (len == 0)
        return 0;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)text[i]) || port > UINT16_MAX)
            return err_set(err, ERR_CONFIG, "the URL's port is not a number");
        port = port * 10 + (unsigned long)(text[i] - '0');
    }
    if (port == 0 || port > UINT16_MAX)
        return err_set(err, ERR_CONFIG, "the URL's port is not between 1 and 65535");
    url->port = (uint16_t)port;
    url->port_given = true;
    return 0;
}

/* The host, without its brackets; `*rest` is what follows it. */
static char *parse_host(const char *text, size_t len, const char **rest, struct err *err)
{
    bool is_bracketed = len > 0 && text[0] == '[';
    const char *close = is_bracketed ? memchr(text, ']', len) : NULL;
    const char *host = is_bracketed ? text + 1 : text;
    size_t host_len = strcspn(host, is_bracketed ? "[]" : "[]:");
    char *copy;

    if (is_bracketed && (!close || host + host_len != close)) {
        err_set(err, ERR_CONFIG, "the URL's IPv6 address lacks its ]");
        return NULL;
    }
    if (host_len > len - (size_t)(host - text))
        host_len = len - (size_t)(host - text);
    *rest = is_bracketed ? close + 1 : host + host_len;
    if (host_len == 0 || (*rest < text + len && **rest != ':')) {
        err_set(err, ERR_CONFIG,
                host_len == 0 ? "the URL has no host" : "the URL's host is malformed");
        return NULL;
    }
    copy = strndup(host, host_len);
    if (!copy)
        err_set(err, ERR_NO_MEMORY, "out of memory");
    return copy;
}

/* [userinfo@]host[:port] */
static int parse_authority(const char *text, size_t len, struct url *url, struct err *err)
{
    const char *at = memrchr(text, '@', len);
    const char *host = at ? at + 1 : text;
    const char *end = text + len, *rest;

    if (at) {
        url->userinfo = strndup(text, (size_t)(at - text));
        if (!url->userinfo)
            return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    url->host = parse_host(host, (size_t)(end - host), &rest, err);
    if (!url->host)
        return -1;
    return rest < end ? parse_port(rest + 1, (size_t)(end - rest - 1), url, err) : 0;
}

int url_parse(const char *text, struct url *url, struct err *err)
{
    const char *colon = strstr(text, "://");
    int scheme = colon ? scheme_index(text, (size_t)(colon - text)) : -1;
    struct buf target = BUF_INIT(URL_PART_MAX);
    const char *authority;
    size_t authority_len;

    *url = (struct url){0};
    if (scheme < 0)
        return err_set(err, ERR_CONFIG, "a URL must begin with http://, https://, ws:// or wss://");
    for (const char *c = text; *c; c++) {
        /* A line feed could end a header early. */
        if (ascii_is_control((unsigned char)*c) || *c == ' ')
            return err_set(err, ERR_CONFIG, "the URL holds a blank or a control character");
    }
    url->scheme = strdup(schemes[scheme].name);
    url->port = schemes[scheme].port;
    authority = colon + 3;
    authority_len = strcspn(authority, "/?#");
    if (parse_authority(authority, authority_len, url, err) != 0)
        goto fail;
    if (authority[authority_len] != '/')
        buf_putc(&target, '/');
    buf_append(&target, authority + authority_len, strcspn(authority + authority_len, "#"));
    url->target = buf_take(&target);
    if (url->scheme && url->target)
        return 0;
    err_set(err, ERR_LIMIT, "the URL is too long");
fail:
    url_free(url);
    return -1;
}

void url_free(struct url *url)
{
    free(url->scheme);
    free(url->userinfo);
    free(url->host);
    free(url->target);
    *url = (struct url){0};
}

bool url_is_secure(const struct url *url)
{
    int scheme = url->scheme ? scheme_index(url->scheme, strlen(url->scheme)) : -1;

    return scheme >= 0 && schemes[scheme].secure;
}

void url_print_host(const struct url *url, struct buf *out)
{
    bool is_ipv6 = strchr(url->host, ':') != NULL;

    buf_printf(out, is_ipv6 ? "[%s]" : "%s", url->host);
    if (url->port_given)
        buf_printf(out, ":%u", url->port);
}

void url_encode(const char *text, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (isalnum(c) || strchr("-._~", c)) {
            buf_putc(out, (char)c);
        } else {
            buf_putc(out, '%');
            buf_putc(out, digits[c >> 4]);
            buf_putc(out, digits[c & 15]);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void url_decode(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && len - i > 2 ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        if (low >= 0 && (high || low)) {
            buf_putc(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_putc(out, text[i]);
        }
    }
}

bool url_has_parameter(const char *target, const char *name)
{
    const char *at = strchr(target, '?');
    size_t len = strlen(name);

    while (at) {
        at++;
        if (strncmp(at, name, len) == 0 && (at[len] == '=' || at[len] == '&' || !at[len]))
            return true;
        at = strchr(at, '&');
    }
    return false;
}
