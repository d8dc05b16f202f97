/*
 * Fuzzer of common/url and of what addresses are made from a URL:
 *
 * - a parsed URL that is printed parses to itself, and nothing of it can end a header early;
 * - no error and no Host header names the credentials;
 * - what is encoded holds only unreserved characters and "%XX", and decodes to itself;
 * - the addresses at the control plane parse, keep the host and hold the token only when asked to.
 */
#include "bridge/control_plane/addresses.h"
#include "common/url.h"
#include "tests/fuzz/require.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)1024 * 1024)
#define TOKEN "a-token-of-the-environment"

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void check_same(const struct url *a, const struct url *b)
{
    require(same_text(a->scheme, b->scheme) && same_text(a->userinfo, b->userinfo));
    require(same_text(a->host, b->host) && same_text(a->target, b->target));
    require(a->port == b->port && a->port_given == b->port_given);
}

static void check_plain(const char *text)
{
    for (; *text; text++)
        require((unsigned char)*text > ' ' && *text != 0x7f);
}

static void check_parsed(const struct url *url)
{
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf host = BUF_INIT(TEXT_MAX);
    AUTO_URL struct url again = {0};

    require(url->port > 0 && url->host[0] && url->target[0] == '/' && !strchr(url->target, '#'));
    require(!strpbrk(url->host, "/?#@[]"));
    url_print_host(url, &host);
    check_plain(buf_text(&host));
    check_plain(url->target);
    buf_printf(&text, "%s://", url->scheme);
    if (url->userinfo)
        buf_printf(&text, "%s@", url->userinfo);
    buf_append(&text, host.data, host.len);
    buf_puts(&text, url->target);
    require(!buf_failed(&text) && url_parse(buf_text(&text), &again, NULL) == 0);
    check_same(url, &again);
}

/* `text` is refused as it is, so also with credentials: and the error does not tell them. */
static void check_refused(const char *text)
{
    const char *rest = strstr(text, "://");
    AUTO_BUF struct buf with = BUF_INIT(TEXT_MAX);
    AUTO_URL struct url url = {0};
    struct err err = {0};

    if (!rest)
        return;
    buf_append(&with, text, (size_t)(rest + 3 - text));
    buf_puts(&with, "user:" TOKEN "@");
    buf_puts(&with, rest + 3);
    if (url_parse(buf_text(&with), &url, &err) == 0)
        return;
    require(err.text[0] && !strstr(err.text, TOKEN));
    require(!url.host && !url.userinfo);
}

static void check_encoding(const char *text)
{
    AUTO_BUF struct buf encoded = BUF_INIT(TEXT_MAX);
    AUTO_BUF struct buf decoded = BUF_INIT(TEXT_MAX);

    url_encode(text, &encoded);
    for (const char *c = buf_text(&encoded); *c; c++)
        require(isalnum((unsigned char)*c) || strchr("-._~%", *c));
    url_decode(buf_text(&encoded), encoded.len, &decoded);
    require(strcmp(buf_text(&decoded), text) == 0);
    buf_reset(&decoded);
    url_decode(text, strlen(text), &decoded);
    require(decoded.len <= strlen(text) && strlen(buf_text(&decoded)) == decoded.len);
}

static void check_addresses(const char *text, const struct url *url)
{
    struct address_input input = {
        .control_plane = text, .session_id = text, .sandbox_id = text, .token = TOKEN};

    for (int in_query = 0; in_query < 2; in_query++) {
        AUTO_BUF struct buf socket = BUF_INIT(TEXT_MAX);
        AUTO_BUF struct buf endpoint = BUF_INIT(TEXT_MAX);
        AUTO_URL struct url parsed = {0};

        input.credentials_in_query = in_query;
        address_print_websocket(&input, &socket);
        address_print_endpoint(&input, "/attachments/", text, &endpoint);
        require(url_parse(buf_text(&socket), &parsed, NULL) == 0);
        require(strcmp(parsed.host, url->host) == 0 && parsed.port == url->port);
        require(url_has_parameter(parsed.target, "type") &&
                url_is_secure(&parsed) == url_is_secure(url));
        /* A token of the URL's own takes the place of ours (X-01). */
        require((strstr(buf_text(&socket), TOKEN) != NULL) ==
                (in_query && !address_wants_query_auth(text)));
        url_free(&parsed);
        require(url_parse(buf_text(&endpoint), &parsed, NULL) == 0);
        require(strcmp(parsed.host, url->host) == 0 && !strstr(buf_text(&endpoint), TOKEN));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_URL struct url url = {0};
    char *text = size < TEXT_MAX / 8 ? strndup((const char *)data, size) : NULL;

    if (!text)
        return 0;
    check_encoding(text);
    check_refused(text);
    if (url_parse(text, &url, NULL) == 0) {
        check_parsed(&url);
        if (!strstr(text, TOKEN))
            check_addresses(text, &url);
    }
    free(text);
    return 0;
}
