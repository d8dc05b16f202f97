#include "net/proxy.h"

#include "common/env.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRY_MAX 256

static const char *either_case(const char *lower, const char *upper)
{
    const char *value = env_get(lower);

    return value ? value : env_get(upper);
}

void proxy_settings_read(struct proxy_settings *settings)
{
    settings->http = either_case("http_proxy", "HTTP_PROXY");
    settings->https = either_case("https_proxy", "HTTPS_PROXY");
    settings->all = either_case("all_proxy", "ALL_PROXY");
    settings->no = either_case("no_proxy", "NO_PROXY");
}

static bool is_this_machine(const char *host)
{
    size_t len = strlen(host);
    struct in_addr address;

    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0)
        return true;
    if (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* `entry` is a.b.c.d/bits. */
static bool is_in_network(char *entry, const char *host)
{
    char *slash = strchr(entry, '/');
    struct in_addr network;
    struct in_addr address;
    unsigned long bits;

    if (!slash || inet_pton(AF_INET, host, &address) != 1)
        return false;
    *slash = '\0';
    bits = strtoul(slash + 1, NULL, 10);
    if (inet_pton(AF_INET, entry, &network) != 1 || bits > 32)
        return false;
    return bits == 0 || (ntohl(network.s_addr) ^ ntohl(address.s_addr)) >> (32 - bits) == 0;
}

/* The entry is the host itself or a domain that it is in, perhaps with a port. */
static bool is_meant(char *entry, const struct url *url)
{
    size_t host_len = strlen(url->host);
    char *colon = strrchr(entry, ':');
    size_t len;

    if (is_in_network(entry, url->host))
        return true;
    /* An IPv6 address has more than one colon, and no port here. */
    if (colon && strchr(entry, ':') == colon) {
        if (atoi(colon + 1) != url->port)
            return false;
        *colon = '\0';
    }
    if (strncmp(entry, "*.", 2) == 0)
        entry++;
    if (strcasecmp(entry, url->host) == 0)
        return true;
    if (*entry == '.')
        entry++;
    len = strlen(entry);
    return len > 0 && host_len > len && url->host[host_len - len - 1] == '.' &&
           strcasecmp(url->host + host_len - len, entry) == 0;
}

static bool is_excepted(const char *no, const struct url *url)
{
    while (no && *no) {
        size_t len = strcspn(no, ", \t");
        char entry[ENTRY_MAX];

        if (len == 1 && *no == '*')
            return true;
        if (len > 0 && len < sizeof(entry)) {
            memcpy(entry, no, len);
            entry[len] = '\0';
            if (is_meant(entry, url))
                return true;
        }
        no += len;
        no += strspn(no, ", \t");
    }
    return false;
}

/* Undoes %XX, in place. */
static void decode(char *text)
{
    char *to = text;

    for (; *text; text++) {
        if (*text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
            const char digits[] = {text[1], text[2], '\0'};

            *to++ = (char)strtol(digits, NULL, 16);
            text += 2;
        } else {
            *to++ = *text;
        }
    }
    *to = '\0';
}

static int parse(const char *value, const char *variable, struct proxy *proxy, struct err *err)
{
    AUTO_BUF struct buf full = BUF_INIT(2048);
    AUTO_URL struct url url = {0};

    /* "host:port" is common, too. */
    if (!strstr(value, "://"))
        buf_puts(&full, "http://");
    buf_puts(&full, value);
    if (buf_failed(&full) || url_parse(buf_text(&full), &url, NULL) != 0 ||
        strcmp(url.scheme, "http") != 0)
        return err_set(err, ERR_CONFIG, "%s: only proxies of the form http://host:port can be used",
                       variable);
    proxy->host = strdup(url.host);
    proxy->port = url.port;
    proxy->credentials = url.userinfo ? strdup(url.userinfo) : NULL;
    if (!proxy->host || (url.userinfo && !proxy->credentials)) {
        proxy_free(proxy);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    if (proxy->credentials)
        decode(proxy->credentials);
    return 0;
}

int proxy_choose(const struct proxy_settings *settings, const struct url *url, struct proxy *proxy,
                 struct err *err)
{
    bool is_secure = url_is_secure(url);
    const char *value = is_secure ? settings->https : settings->http;
    const char *variable = is_secure ? "HTTPS_PROXY" : "HTTP_PROXY";

    *proxy = (struct proxy){0};
    if (!value) {
        value = settings->all;
        variable = "ALL_PROXY";
    }
    if (!value || is_this_machine(url->host) || is_excepted(settings->no, url))
        return 0;
    return parse(value, variable, proxy, err);
}

void proxy_free(struct proxy *proxy)
{
    free(proxy->host);
    free(proxy->credentials);
    *proxy = (struct proxy){0};
}
