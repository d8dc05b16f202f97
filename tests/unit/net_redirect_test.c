#include "net/connect_failure.h"
#include "net/redirect.h"
#include "tests/unit/check.h"

#include <string.h>

/* The place that `location` leads to from `from`, as text, or the error's. */
static const char *resolve(const char *from, const char *location, bool *same_origin)
{
    static char text[2048];
    AUTO_URL struct url base = {0};
    AUTO_URL struct url next = {0};
    struct err err = {0};

    *same_origin = false;
    if (url_parse(from, &base, &err) != 0 ||
        redirect_resolve(&base, location, &next, same_origin, &err) != 0)
        snprintf(text, sizeof(text), "%s", err.text);
    else
        snprintf(text, sizeof(text), "%s %s %u %s", next.scheme, next.host, next.port, next.target);
    return text;
}

static const char *described(const char *text, int sys, enum err_class *class)
{
    static struct err err;

    err_clear(&err);
    connect_failure_describe(text, text ? strlen(text) : 0, sys, "cp.example", &err);
    *class = err.class;
    return err.text;
}

int main(void)
{
    enum err_class class;
    bool same;

    TEST("a redirect's place may be absolute, without scheme, a path, a query or relative") {
        CHECK_STR(resolve("wss://a/x/y?q", "https://b:8443/z?1#f", &same), "https b 8443 /z?1");
        CHECK(!same);
        CHECK_STR(resolve("wss://a/x/y?q", "//b/z", &same), "wss b 443 /z");
        CHECK_STR(resolve("ws://a:81/x/y?q", "/z", &same), "ws a 81 /z");
        CHECK(same);
        CHECK_STR(resolve("ws://a:81/x/y?q", "?r", &same), "ws a 81 /x/y?r");
        CHECK_STR(resolve("ws://a/x/y?q/w", "z?u=http://c/", &same), "ws a 80 /x/z?u=http://c/");
        CHECK_STR(resolve("ws://[::1]:81/x", "/z", &same), "ws ::1 81 /z");
        CHECK(same);
    }
    TEST("the origin is scheme, host and port; ws and http count as one") {
        resolve("wss://a/x", "https://A/y", &same);
        CHECK(same);
        resolve("ws://a/x", "wss://a:80/y", &same);
        CHECK(!same);
        resolve("ws://a/x", "http://a:81/y", &same);
        CHECK(!same);
    }
    TEST("from TLS to plain, and to what is no web place, is refused") {
        CHECK(strstr(resolve("wss://a/", "http://a/", &same), "from TLS to a plain") != NULL);
        CHECK(strstr(resolve("wss://a/", "ftp://a/", &same), "unusable place") != NULL);
    }
    TEST("a failed connection is told in words that help") {
        CHECK_STR(described("conn fail: 111", 0, &class), "Connection refused");
        CHECK_INT(class, ERR_NETWORK);
        CHECK_STR(described("closed before established", 111, &class), "Connection refused");
        CHECK_STR(described("closed before established", 0, &class),
                  "cp.example closed the connection without an answer");
        described("tls: server cert rejected: 0x01 - The certificate validity has expired", 0,
                  &class);
        CHECK_INT(class, ERR_TLS);
        CHECK_STR(described(NULL, 0, &class), "no connection");
    }
    return check_done();
}
