#include "net/ws_link.h"

#include "common/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/net_fixture.h"

#define SECRET "Bearer very-secret-token"

/* One link and all that happened to it. */
struct seen {
    struct fixture *fixture;
    struct ws_link *link;
    bool is_open;
    bool has_ended;
    int opens;
    int ends;
    int messages;
    bool has_message;
    char text[400000];
    size_t len;
    struct ws_end end;
    int to_send; /* messages still to be given */
    int sent;
    int message_size;
    bool frees_in_message;
    uint64_t started_ms;
    uint64_t took_ms;
};

static struct fixture fixture;

static void on_open(void *user)
{
    struct seen *seen = user;

    seen->opens++;
    seen->is_open = true;
}

static void on_message(void *user, char *data, size_t len)
{
    struct seen *seen = user;

    seen->messages++;
    seen->has_message = true;
    seen->len = len;
    if (len < sizeof(seen->text))
        memcpy(seen->text, data, len + 1);
    if (seen->frees_in_message) {
        ws_link_free(seen->link);
        seen->link = NULL;
    }
}

static bool on_writable(void *user, struct buf *out)
{
    struct seen *seen = user;

    if (seen->to_send == 0)
        return false;
    seen->to_send--;
    buf_printf(out, "%d %0*d%s", seen->sent++, seen->message_size, 0,
               seen->to_send == 0 ? " last" : "");
    return true;
}

static void on_end(void *user, const struct ws_end *end)
{
    struct seen *seen = user;

    seen->ends++;
    seen->has_ended = true;
    seen->end = *end;
    seen->took_ms = clock_monotonic_ms() - seen->started_ms;
}

static const struct ws_link_handlers handlers = {
    .on_open = on_open,
    .on_message = on_message,
    .on_writable = on_writable,
    .on_end = on_end,
};

static const struct net_header headers[] = {
    {"Authorization", SECRET},
    {"X-Sandbox-ID", "sandbox-1"},
};

static void open_with(struct seen *seen, const struct ws_link_options *options)
{
    struct err err = {0};

    memset(seen, 0, sizeof(*seen));
    seen->started_ms = clock_monotonic_ms();
    seen->link = ws_link_open(fixture.context, options, &handlers, seen, &err);
    if (!seen->link)
        printf("  not opened: %s\n", err.text);
}

static void open_url(struct seen *seen, const char *url)
{
    open_with(seen, &(struct ws_link_options){.url = url, .headers = headers, .header_count = 2});
}

/* Opens, waits for the end and checks that it came once, without our secret in it. */
static void see_end(struct seen *seen, const char *url)
{
    open_url(seen, url);
    CHECK(fixture_wait(&fixture, &seen->has_ended));
    CHECK_INT(seen->ends, 1);
    CHECK(strstr(seen->end.err.text, "secret") == NULL);
    ws_link_free(seen->link);
}

static const char *ws(const char *path)
{
    return fixture_url(&fixture, "ws", "127.0.0.1", "ws", path);
}

static void see_tls_error(struct seen *seen, const char *server, const char *wanted)
{
    see_end(seen, fixture_url(&fixture, "wss", "localhost", server, "/echo"));
    CHECK_INT(seen->end.kind, WS_END_FAILED);
    CHECK_INT(seen->end.err.class, ERR_TLS);
    CHECK(strstr(seen->end.err.text, wanted) != NULL);
    printf("  %s\n", seen->end.err.text);
}

static void test_messages(struct seen *seen)
{
    TEST("a link opens, carries the headers, and closes with the code it was given") {
        open_url(seen, ws("/headers?type=sandbox"));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_INT(seen->opens, 1);
        CHECK(strstr(seen->text, "\"authorization\":\"" SECRET "\"") != NULL);
        CHECK(strstr(seen->text, "\"sandbox\":\"sandbox-1\"") != NULL);
        CHECK(strstr(seen->text, "\"query\":\"?type=sandbox\"") != NULL);
        CHECK(strstr(seen->text, fixture_place(&fixture, "ws")) != NULL);
        ws_link_close(seen->link, 1000, "bye");
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1000);
        CHECK(!seen->end.by_peer);
        CHECK(seen->took_ms < 1000);
        ws_link_free(seen->link);
    }
    TEST("messages go out in order, one callback each, and nothing is asked for while there is "
         "none") {
        open_url(seen, ws("/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        fixture_run_for(&fixture, 30);
        CHECK_INT(seen->messages, 0);
        seen->to_send = 100;
        ws_link_wake(seen->link);
        while (seen->messages < 100) {
            seen->has_message = false;
            if (!fixture_wait(&fixture, &seen->has_message))
                break;
        }
        CHECK_STR(seen->text, "99 0 last");
        ws_link_free(seen->link);
        CHECK_INT(seen->ends, 0);
    }
    TEST("fragments are joined, also around a ping; binary and empty messages come as others") {
        open_url(seen, ws("/fragments"));
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_STR(seen->text, "one two three");
        while (seen->messages < 4) {
            seen->has_message = false;
            if (!fixture_wait(&fixture, &seen->has_message))
                break;
            if (seen->messages == 2)
                CHECK_STR(seen->text, "{\"binary\":true}");
            if (seen->messages == 3)
                CHECK_INT(seen->len, 0);
        }
        CHECK_INT(seen->len, 300000);
        ws_link_free(seen->link);
    }
    TEST("a message over the limit closes with 1009") {
        see_end(seen, ws("/big"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1009);
        CHECK_INT(seen->messages, 0);
    }
    TEST("a peer that stops reading stalls the pull, and gets all in order when it goes on") {
        open_url(seen, ws("/stop-reading"));
        seen->to_send = 3000;
        seen->message_size = 10000;
        CHECK(fixture_wait(&fixture, &seen->is_open));
        fixture_run_for(&fixture, 150);
        CHECK(seen->to_send > 100);
        CHECK(fixture_wait(&fixture, &seen->has_message));
        CHECK_STR(seen->text, "3000 true");
        ws_link_free(seen->link);
    }
    TEST("a link may be freed in its own callback") {
        open_url(seen, ws("/fragments"));
        seen->frees_in_message = true;
        CHECK(fixture_wait(&fixture, &seen->has_message));
        fixture_run_for(&fixture, 50);
        CHECK_INT(seen->messages, 1);
        CHECK_INT(seen->ends, 0);
    }
}

static void test_ends(struct seen *seen)
{
    TEST("the peer's close code and reason are told") {
        see_end(seen, ws("/close"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 4001);
        CHECK_STR(seen->end.reason, "because");
        CHECK(seen->end.by_peer);
    }
    TEST("a close without a code is 1005") {
        see_end(seen, ws("/close-empty"));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1005);
    }
    TEST("TCP is closed by us when the peer leaves it open after its close") {
        see_end(seen, ws("/close-hang"));
        CHECK_INT(seen->end.close_code, 1000);
        CHECK_STR(seen->end.reason, "New sandbox connecting");
        CHECK(seen->took_ms < WS_LINK_CLOSE_LIMIT_MS + 500);
    }
    TEST("a peer that never answers our close is left after the limit") {
        open_with(seen,
                  &(struct ws_link_options){.url = ws("/ignore-close"), .close_limit_ms = 200});
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_close(seen->link, 1001, "");
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_CLOSED);
        CHECK_INT(seen->end.close_code, 1001);
        CHECK(seen->took_ms < 1000);
        ws_link_free(seen->link);
    }
    TEST("a broken connection is a loss") {
        see_end(seen, ws("/drop"));
        CHECK_INT(seen->opens, 1);
        CHECK_INT(seen->end.kind, WS_END_LOST);
    }
    TEST("bytes that are no frames are a loss") {
        see_end(seen, ws("/garbage"));
        CHECK_INT(seen->end.kind, WS_END_LOST);
    }
    TEST("a peer that answers no ping is given up") {
        open_with(seen, &(struct ws_link_options){
                            .url = ws("/no-pong"), .ping_after_s = 1, .hangup_after_s = 2});
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->end.kind, WS_END_LOST);
        CHECK(seen->took_ms >= 1900 && seen->took_ms < 4000);
        ws_link_free(seen->link);
    }
    TEST("a peer that answers pings is kept") {
        open_with(seen, &(struct ws_link_options){
                            .url = ws("/echo"), .ping_after_s = 1, .hangup_after_s = 2});
        CHECK(fixture_wait(&fixture, &seen->is_open));
        fixture_run_for(&fixture, 3500);
        CHECK_INT(seen->ends, 0);
        ws_link_free(seen->link);
    }
    TEST("closing before it is open ends it") {
        open_url(seen, ws("/echo"));
        ws_link_close(seen->link, 1000, "");
        CHECK_INT(seen->ends, 0);
        CHECK(fixture_wait(&fixture, &seen->has_ended));
        CHECK_INT(seen->opens, 0);
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_CANCELLED);
        ws_link_free(seen->link);
    }
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
    TEST("nobody listening: connection refused, with the place") {
        see_end(seen, fixture_url(&fixture, "ws", "127.0.0.1", "refused", "/"));
        CHECK_INT(seen->end.kind, WS_END_FAILED);
        CHECK_INT(seen->end.err.class, ERR_NETWORK);
        CHECK(strstr(seen->end.err.text, "Connection refused") != NULL);
        CHECK(strstr(seen->end.err.text, fixture_place(&fixture, "refused")) != NULL);
        printf("  %s\n", seen->end.err.text);
    }
    TEST("all addresses of a name are tried (localhost is ::1 and 127.0.0.1 on most machines)") {
        open_url(seen, fixture_url(&fixture, "ws", "localhost", "ws", "/echo"));
        CHECK(fixture_wait(&fixture, &seen->is_open));
        ws_link_free(seen->link);
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

static void test_life(struct seen *seen)
{
    TEST("a context is created and destroyed 100 times, with a link in every state") {
        bool is_clean = fixture_close_context(&fixture);

        for (int i = 0; i < 100 && is_clean; i++) {
            fixture_open_context(&fixture);
            open_url(seen, i % 2 ? fixture_url(&fixture, "wss", "localhost", "tls", "/echo")
                                 : ws("/echo"));
            if (i % 4 < 2)
                fixture_wait(&fixture, &seen->is_open);
            else if (i % 4 == 2)
                fixture_run_for(&fixture, 1);
            ws_link_free(seen->link);
            is_clean = fixture_close_context(&fixture);
        }
        CHECK(is_clean);
        fixture_open_context(&fixture);
    }
    TEST("a certificate bundle that is missing or empty is a clear error, at the first TLS "
         "connection") {
        struct err err = {0};
        const struct ws_link_options options = {.url = "wss://localhost/"};

        CHECK(fixture_close_context(&fixture));
        fixture_open_context(&fixture);
        setenv("SSL_CERT_FILE", "/nowhere.pem", 1);
        CHECK(!ws_link_open(fixture.context, &options, &handlers, seen, &err));
        CHECK(strstr(err.text, "SSL_CERT_FILE") && strstr(err.text, "/nowhere.pem"));
        setenv("SSL_CERT_FILE", "/dev/null", 1);
        CHECK(!ws_link_open(fixture.context, &options, &handlers, seen, &err));
        CHECK(strstr(err.text, "holds no certificate") != NULL);
    }
}

int main(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));

    fixture_init(&fixture);
    test_messages(seen);
    test_ends(seen);
    test_refusals(seen);
    test_redirects(seen);
    test_tls(seen);
    test_life(seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    free(seen);
    return check_done();
}
