#include "net/http_request.h"
#include "net/proxy.h"
#include "tests/unit/net_link_seen.h"

/* "host:port" of the proxy for `url`, "-" for none, or the error. */
static const char *choose(const struct proxy_settings *settings, const char *url)
{
    static char text[ERR_TEXT_MAX];
    AUTO_URL struct url parsed = {0};
    struct proxy proxy = {0};
    struct err err = {0};

    if (url_parse(url, &parsed, &err) != 0 || proxy_choose(settings, &parsed, &proxy, &err) != 0)
        snprintf(text, sizeof(text), "%s", err.text);
    else if (!proxy.host)
        strcpy(text, "-");
    else
        snprintf(text, sizeof(text), "%s%s%s:%u", proxy.credentials ? proxy.credentials : "",
                 proxy.credentials ? "@" : "", proxy.host, proxy.port);
    proxy_free(&proxy);
    return text;
}

static void test_choice(void)
{
    TEST("TLS goes by HTTPS_PROXY, plain by HTTP_PROXY, the rest by ALL_PROXY") {
        const struct proxy_settings both = {.http = "http://p:1", .https = "p2:2", .all = "x:3"};
        const struct proxy_settings all = {.all = "http://u:p%40w@x:3/"};

        CHECK_STR(choose(&both, "ws://cp.example/"), "p:1");
        CHECK_STR(choose(&both, "wss://cp.example/"), "p2:2");
        CHECK_STR(choose(&both, "https://cp.example/"), "p2:2");
        CHECK_STR(choose(&all, "https://cp.example/"), "u:p@w@x:3");
        CHECK_STR(choose(&(struct proxy_settings){0}, "https://cp.example/"), "-");
    }
    TEST("this machine is behind no proxy, whatever the variables say (D-31)") {
        const struct proxy_settings all = {.all = "http://x:3"};

        CHECK_STR(choose(&all, "http://127.0.0.1:4096/"), "-");
        CHECK_STR(choose(&all, "http://127.9.0.1/"), "-");
        CHECK_STR(choose(&all, "http://localhost/"), "-");
        CHECK_STR(choose(&all, "http://[::1]/"), "-");
        CHECK_STR(choose(&all, "http://128.0.0.1/"), "x:3");
    }
    TEST("NO_PROXY excepts hosts, domains, ports and networks") {
        const struct proxy_settings some = {
            .all = "x:3", .no = "one.example, .two.example,*.three.example,four:81,10.1.0.0/16"};
        const struct proxy_settings none = {.all = "x:3", .no = "*"};

        CHECK_STR(choose(&some, "http://one.example/"), "-");
        CHECK_STR(choose(&some, "http://a.ONE.example/"), "-");
        CHECK_STR(choose(&some, "http://notone.example/"), "x:3");
        CHECK_STR(choose(&some, "http://a.two.example/"), "-");
        CHECK_STR(choose(&some, "http://a.three.example/"), "-");
        CHECK_STR(choose(&some, "http://four:81/"), "-");
        CHECK_STR(choose(&some, "http://four/"), "x:3");
        CHECK_STR(choose(&some, "http://10.1.2.3/"), "-");
        CHECK_STR(choose(&some, "http://10.2.2.3/"), "x:3");
        CHECK_STR(choose(&none, "http://one/"), "-");
    }
    TEST("a proxy of another kind is an error that names the variable and no password") {
        const struct proxy_settings socks = {.all = "socks5://u:secret@x:3"};

        CHECK(strstr(choose(&socks, "http://a/"), "ALL_PROXY: only proxies of the form") != NULL);
        CHECK(strstr(choose(&socks, "http://a/"), "secret") == NULL);
    }
}

/* A fresh context that knows this proxy. */
static void use_proxy(const char *server, const char *credentials)
{
    char value[256];

    snprintf(value, sizeof(value), "http://%s127.0.0.1:%s", credentials,
             fixture_place(&fixture, server));
    setenv("https_proxy", value, 1);
    setenv("http_proxy", value, 1);
    CHECK(fixture_close_context(&fixture));
    fixture_open_context(&fixture);
}

static void see_echo(struct seen *seen, const char *url)
{
    open_url(seen, url);
    seen->to_send = 1;
    CHECK(fixture_wait(&fixture, &seen->has_message));
    CHECK_STR(seen->text, "0 0 last");
    ws_link_free(seen->link);
}

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    if (!response)
        printf("  %s\n", err->text);
    CHECK(response && response->status == 200);
    *(bool *)user = true;
}

static void test_tunnel(struct seen *seen)
{
    TEST("a link passes through a proxy, which looks up the name; TLS is checked end to end") {
        use_proxy("proxy", "");
        see_echo(seen, fixture_url(&fixture, "wss", "cp.example", "tls", "/echo"));
        see_echo(seen, fixture_url(&fixture, "ws", "cp.example", "ws", "/echo"));
        see_end(seen, fixture_url(&fixture, "wss", "cp.example", "tls_other_host", "/echo"));
        CHECK_INT(seen->end.err.class, ERR_TLS);
    }
    TEST("a request passes through a proxy, and one to this machine does not") {
        bool is_done = false;
        struct http_request_options options = {
            .method = "GET",
            .url = fixture_url(&fixture, "https", "cp.example", "tls", "/no-websocket")};

        http_request_start(fixture.context, &options, on_done, &is_done, NULL);
        CHECK(fixture_wait(&fixture, &is_done));
        is_done = false;
        options.url = fixture_url(&fixture, "http", "127.0.0.1", "http", "/json");
        http_request_start(fixture.context, &options, on_done, &is_done, NULL);
        CHECK(fixture_wait(&fixture, &is_done));
    }
    TEST("a proxy's refusal is no refusal of the control plane, and says what to do (D-34)") {
        see_end(seen, fixture_url(&fixture, "wss", "other.example", "tls", "/echo"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "the proxy answered HTTP 403") != NULL);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("a proxy gets its user and password, and no other") {
        use_proxy("proxy_guarded", "user:p%40ss@");
        see_echo(seen, fixture_url(&fixture, "wss", "cp.example", "tls", "/echo"));
        use_proxy("proxy_guarded", "user:secret@");
        see_end(seen, fixture_url(&fixture, "wss", "cp.example", "tls", "/echo"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_AUTH);
        CHECK(strstr(seen->end.err.text, "407") != NULL);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("a proxy that is not there is told") {
        use_proxy("refused", "");
        see_end(seen, fixture_url(&fixture, "wss", "cp.example", "tls", "/echo"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "Connection refused") != NULL);
        CHECK(strstr(seen->end.err.text, "through the proxy 127.0.0.1") != NULL);
        printf("  %s\n", seen->end.err.text);
    }
}

int main(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    test_choice();
    fixture_init(&fixture);
    test_tunnel(seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    free(seen);
    return check_done();
}
