#include "tests/unit/net_link_seen.h"

static void see_tls_error(struct seen *seen, const char *server, const char *wanted)
{
    see_end(seen, fixture_url(&fixture, "wss", "localhost", server, "/echo"));
    CHECK_INT(seen->end.kind, WS_END_FAILED);
    CHECK_INT(seen->end.err.class, ERR_TLS);
    CHECK(strstr(seen->end.err.text, wanted) != NULL);
    printf("  %s\n", seen->end.err.text);
}

static void test_refusals(struct seen *seen)
{
    static const struct {
        const char *path;
        int status;
        enum err_class class;
    } cases[] = {
        {"/status/401", 401, ERR_AUTH},      {"/status/403", 403, ERR_AUTH},
        {"/status/404", 404, ERR_NOT_FOUND}, {"/status/410", 410, ERR_NOT_FOUND},
        {"/status/500", 500, ERR_PROTOCOL},  {"/no-websocket", 200, ERR_PROTOCOL},
    };

    TEST("a refused handshake is told with its HTTP status") {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            see_end(seen, ws(cases[i].path));
            CHECK_INT(seen->end.kind, WS_END_REFUSED);
            CHECK_INT(seen->end.status, cases[i].status);
            CHECK_INT(seen->end.err.class, cases[i].class);
            CHECK_INT(seen->opens, 0);
        }
    }
    TEST("a wrong Sec-WebSocket-Accept is refused") {
        see_end(seen, ws("/wrong-accept"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->opens, 0);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("a server that hangs up instead of answering is told so") {
        see_end(seen, ws("/hang-up"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "closed the connection without an answer") != NULL);
    }
}

static void test_unreachable(struct seen *seen)
{
    TEST("nobody listening: connection refused, with the place") {
        see_end(seen, fixture_url(&fixture, "ws", "127.0.0.1", "refused", "/"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_NETWORK);
        CHECK(strstr(seen->end.err.text, "Connection refused") != NULL);
        CHECK(strstr(seen->end.err.text, fixture_place(&fixture, "refused")) != NULL);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("names and IPv6 addresses are connected to") {
        open_url(seen, fixture_url(&fixture, "ws", "localhost", "ws", "/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_free(seen->link);
        if (strcmp(fixture_place(&fixture, "ws_ipv6"), "0") != 0) {
            open_url(seen, fixture_url(&fixture, "ws", "[::1]", "ws_ipv6", "/echo"));
            CHECK(fixture_wait(&fixture, &seen->is_open));
            ws_link_free(seen->link);
        }
        see_end(seen, fixture_url(&fixture, "ws", "localhost", "refused", "/"));
        CHECK(strstr(seen->end.err.text, "Connection refused") != NULL);
    }
    TEST("an unknown host name is told so") {
        see_end(seen, "ws://no-such-host.invalid/x");
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "no-such-host.invalid") != NULL);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("a server that never answers ends at the limit, which says what was missing") {
        open_with(seen, &(struct ws_link_options){
                            .url = fixture_url(&fixture, "ws", "127.0.0.1", "mute", "/"),
                            .handshake_limit_ms = 150});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_TIMEOUT);
        CHECK(seen->took_ms >= 140 && seen->took_ms < 1000);
        CHECK(strstr(seen->end.err.text, "the answer is still missing") != NULL);
        ws_link_free(seen->link);
        open_with(seen, &(struct ws_link_options){
                            .url = fixture_url(&fixture, "wss", "127.0.0.1", "mute", "/"),
                            .handshake_limit_ms = 150});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.err.class, ERR_TIMEOUT);
        CHECK(strstr(seen->end.err.text, "the connection is still missing") != NULL);
        ws_link_free(seen->link);
    }
    TEST("bad URLs and header values are refused at once") {
        struct err err = {0};
        const struct net_header bad = {"X", "a\r\nY: b"};

        CHECK(!ws_link_open(fixture.context, &(struct ws_link_options){.url = "ftp://x/"},
                            &handlers, seen, &err));
        CHECK_INT(err.class, ERR_CONFIG);
        CHECK(!ws_link_open(
            fixture.context,
            &(struct ws_link_options){.url = "ws://x/", .headers = &bad, .header_count = 1},
            &handlers, seen, &err));
        CHECK_INT(err.class, ERR_CONFIG);
    }
}

static void test_redirects(struct seen *seen)
{
    char path[512];

    TEST("a redirect is followed, and Authorization stays within its origin") {
        open_url(seen, ws("/redirect?to=/headers"));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK(strstr(seen->text, SECRET) != NULL);
        ws_link_free(seen->link);
        snprintf(path, sizeof(path), "/redirect?to=http://localhost:%s/headers",
                 fixture_place(&fixture, "ws"));
        open_url(seen, ws(path));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK(strstr(seen->text, SECRET) == NULL);
        CHECK(strstr(seen->text, "sandbox-1") != NULL);
        ws_link_free(seen->link);
    }
    TEST("a redirect from TLS to plain is refused, and so is going round in circles") {
        snprintf(path, sizeof(path), "/redirect?to=http://localhost:%s/echo",
                 fixture_place(&fixture, "ws"));
        see_end(seen, fixture_url(&fixture, "wss", "localhost", "tls", path));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "from TLS to a plain connection") != NULL);
        see_end(seen, ws("/circle"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK(strstr(seen->end.err.text, "more than 10 redirects") != NULL);
    }
}

static void test_tls(struct seen *seen)
{
    static const char *const servers[] = {"tls", "tls13", "tls12"};

    TEST("TLS: TLS 1.3 only, 1.2 only and both; by name and by address") {
        for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
            for (int by_name = 0; by_name < 2; by_name++) {
                open_url(seen, fixture_url(&fixture, "wss", by_name ? "localhost" : "127.0.0.1",
                                           servers[i], "/echo"));
                seen->to_send = 1;
                CHECK(fixture_wait(&fixture, &seen->has_message));
                CHECK_STR(seen->text, "0 0 last");
                ws_link_free(seen->link);
            }
        }
    }
    TEST("TLS: an unknown authority, another host's and an expired certificate, and no TLS at all "
         "are "
         "different errors") {
        see_tls_error(seen, "tls_untrusted", "not signed by a trusted authority");
        see_tls_error(seen, "tls_other_host", "is not for localhost");
        see_tls_error(seen, "tls_expired", "has expired");
        see_tls_error(seen, "http", "TLS");
    }
    TEST("TLS: a server's self-signed certificate that is in the bundle is trusted, another of the "
         "same name is not") {
        open_url(seen, fixture_url(&fixture, "wss", "localhost", "tls_self_signed", "/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_free(seen->link);
        see_tls_error(seen, "tls_same_name", "not signed by a trusted authority");
    }
    TEST("TLS: large messages pass whole, both ways") {
        open_url(seen, fixture_url(&fixture, "wss", "localhost", "tls", "/fragments"));
        seen->to_send = 1;
        seen->message_size = 350000;
        while (seen->messages < 5) {
            seen->has_message = false;
            if (!fixture_wait(&fixture, &seen->has_message))
                break;
        }
        CHECK_INT(seen->messages, 5);
        ws_link_free(seen->link);
    }
}

static void test_trust(struct seen *seen)
{
    TEST("a certificate bundle that is missing or empty is a clear error, at the first TLS "
         "connection") {
        struct err err = {0};
        const struct ws_link_options options = {.url = "wss://localhost/"};

        CHECK(fixture_close_context(&fixture));
        setenv("SSL_CERT_FILE", "/nowhere.pem", 1);
        fixture_open_context(&fixture);
        CHECK(!ws_link_open(fixture.context, &options, &handlers, seen, &err));
        CHECK(strstr(err.text, "SSL_CERT_FILE") && strstr(err.text, "/nowhere.pem"));
        CHECK(fixture_close_context(&fixture));
        setenv("SSL_CERT_FILE", "/dev/null", 1);
        fixture_open_context(&fixture);
        CHECK(!ws_link_open(fixture.context, &options, &handlers, seen, &err));
        CHECK(strstr(err.text, "holds no usable certificate") != NULL);
    }
    TEST(
        "SSL_CERT_DIR: a directory of single certificates is read when there is no SSL_CERT_FILE") {
        char directory[512];

        snprintf(directory, sizeof(directory), "%s", fixture_place(&fixture, "authority"));
        *strrchr(directory, '/') = '\0';
        CHECK(fixture_close_context(&fixture));
        unsetenv("SSL_CERT_FILE");
        setenv("SSL_CERT_DIR", directory, 1);
        fixture_open_context(&fixture);
        open_url(seen, fixture_url(&fixture, "wss", "localhost", "tls", "/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_free(seen->link);
    }
}

int main(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    fixture_init(&fixture);
    test_refusals(seen);
    test_unreachable(seen);
    test_redirects(seen);
    test_tls(seen);
    test_trust(seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    free(seen);
    return check_done();
}
