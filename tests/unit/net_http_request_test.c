#include "net/http_request.h"

#include "common/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/net_fixture.h"

struct seen {
    bool is_done;
    int times;
    bool has_response;
    int status;
    char content_type[64];
    char header[HTTP_HEADER_MAX];
    char body[400000];
    size_t body_len;
    bool body_cut;
    struct err err;
    uint64_t started_ms;
    uint64_t took_ms;
};

static struct fixture fixture;

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct seen *seen = user;

    seen->times++;
    seen->is_done = true;
    seen->took_ms = clock_monotonic_ms() - seen->started_ms;
    seen->has_response = response != NULL;
    if (response) {
        seen->status = response->status;
        strcpy(seen->content_type, response->content_type);
        strcpy(seen->header, response->header);
        seen->body_len = response->body.len;
        snprintf(seen->body, sizeof(seen->body), "%s", buf_text(&response->body));
        seen->body_cut = response->body_cut;
    } else {
        seen->err = *err;
    }
}

static struct http_request *start(struct seen *seen, const struct http_request_options *options)
{
    struct http_request *request;
    struct err err = {0};

    memset(seen, 0, sizeof(*seen));
    seen->started_ms = clock_monotonic_ms();
    request = http_request_start(fixture.context, options, on_done, seen, &err);
    if (!request)
        printf("  not started: %s\n", err.text);
    return request;
}

static void see(struct seen *seen, const struct http_request_options *options)
{
    start(seen, options);
    CHECK(fixture_wait(&fixture, &seen->is_done));
    CHECK_INT(seen->times, 1);
}

static const char *http(const char *path)
{
    return fixture_url(&fixture, "http", "127.0.0.1", "http", path);
}

static void get(struct seen *seen, const char *path)
{
    see(seen, &(struct http_request_options){.method = "GET", .url = http(path)});
}

static void test_answers(struct seen *seen)
{
    TEST("an answer comes with status, type and body") {
        get(seen, "/json");
        CHECK_INT(seen->status, 200);
        CHECK_STR(seen->content_type, "application/json");
        CHECK_STR(seen->body, "{\"healthy\":true}");
    }
    TEST("a header that is asked for comes too, also with a body that is cut") {
        struct http_request_options options = {.method = "GET",
                                               .url = http("/cursor"),
                                               .max_body = 1000,
                                               .cut_body = true,
                                               .answer_header = "x-next-cursor:"};

        see(seen, &options);
        CHECK_STR(seen->header, "eyJpZCI6Mn0");
        CHECK(seen->body_cut);
        options.url = http("/json");
        see(seen, &options);
        CHECK_STR(seen->header, "");
    }
    TEST("answers without a body end at once") {
        get(seen, "/no-content");
        CHECK_INT(seen->status, 204);
        CHECK(seen->took_ms < 500);
        get(seen, "/empty");
        CHECK_INT(seen->status, 200);
        CHECK_INT(seen->body_len, 0);
        CHECK(seen->took_ms < 500);
        get(seen, "/status/404");
        CHECK_INT(seen->status, 404);
        CHECK_STR(seen->body, "no");
    }
    TEST("chunked bodies, bodies up to the end of the connection, and single bytes are put "
         "together") {
        get(seen, "/chunked");
        CHECK_STR(seen->body, "one two");
        get(seen, "/until-close");
        CHECK_STR(seen->body, "to the end");
        get(seen, "/dribble");
        CHECK_STR(seen->body, "{\"slow\":true}");
    }
    TEST("a body within the limit is whole; a longer one is an error, or cut when asked") {
        get(seen, "/big");
        CHECK_INT(seen->body_len, 200000);
        see(seen, &(struct http_request_options){
                      .method = "GET", .url = http("/big"), .max_body = 100000});
        CHECK(!seen->has_response);
        CHECK_INT(seen->err.class, ERR_LIMIT);
        see(seen, &(struct http_request_options){
                      .method = "GET", .url = http("/big"), .max_body = 100000, .cut_body = true});
        CHECK_INT(seen->status, 200);
        CHECK_INT(seen->body_len, 100000);
        CHECK(seen->body_cut);
    }
}

static void test_tls_answers(struct seen *seen)
{
    TEST("TLS answers the same way, and its errors are clear") {
        see(seen, &(struct http_request_options){
                      .method = "GET",
                      .url = fixture_url(&fixture, "https", "localhost", "tls", "/no-websocket")});
        CHECK_INT(seen->status, 200);
        CHECK_STR(seen->body, "<html>");
        see(seen, &(struct http_request_options){
                      .method = "GET",
                      .url = fixture_url(&fixture, "https", "localhost", "tls_untrusted", "/")});
        CHECK_INT(seen->err.class, ERR_TLS);
    }
}

static void test_requests(struct seen *seen)
{
    static const struct net_header headers[] = {{"X-One", "1"}, {"Authorization", "Bearer t"}};
    static char big[3 * 1024 * 1024];

    TEST("headers are sent, and no Accept-Encoding") {
        see(seen,
            &(struct http_request_options){
                .method = "GET", .url = http("/headers"), .headers = headers, .header_count = 2});
        CHECK(strstr(seen->body, "\"x-one\":\"1\"") != NULL);
        CHECK(strstr(seen->body, "\"authorization\":\"Bearer t\"") != NULL);
        CHECK(strstr(seen->body, "accept-encoding") == NULL);
        CHECK(strstr(seen->body, fixture_place(&fixture, "http")) != NULL);
    }
    TEST("bodies are sent: small, empty, and larger than any buffer") {
        see(seen, &(struct http_request_options){
                      .method = "POST", .url = http("/echo"), .body = "{}", .body_len = 2});
        CHECK_INT(seen->status, 201);
        CHECK_STR(seen->body, "POST 2 44136fa355b3678a");
        see(seen, &(struct http_request_options){.method = "POST", .url = http("/echo")});
        CHECK_STR(seen->body, "POST 0 e3b0c44298fc1c14");
        memset(big, 'z', sizeof(big));
        see(seen, &(struct http_request_options){
                      .method = "PUT", .url = http("/echo"), .body = big, .body_len = sizeof(big)});
        CHECK_STR(seen->body, "PUT 3145728 de4f5d36d5aa455b");
    }
}

struct pieces {
    struct seen seen; /* first: on_done gets its address */
    size_t len, count;
    int status;
    size_t fail_at; /* of the body; 0: never */
};

static int on_data(void *user, int status, const char *data, size_t len, struct err *err)
{
    struct pieces *pieces = user;

    (void)data;
    pieces->status = status;
    pieces->len += len;
    pieces->count++;
    if (pieces->fail_at && pieces->len >= pieces->fail_at)
        return err_set(err, ERR_IO, "no room");
    return 0;
}

static int on_read(void *user, size_t offset, char *into, size_t len, struct err *err)
{
    struct pieces *pieces = user;

    if (pieces->fail_at && offset + len >= pieces->fail_at)
        return err_set(err, ERR_IO, "cannot be read");
    memset(into, 'z', len);
    pieces->len += len;
    pieces->count++;
    return 0;
}

static void see_pieces(struct pieces *pieces, const struct http_request_options *options)
{
    memset(&pieces->seen, 0, sizeof pieces->seen);
    pieces->len = pieces->count = 0;
    pieces->status = 0;
    CHECK(http_request_start(fixture.context, options, on_done, pieces, NULL));
    CHECK(fixture_wait(&fixture, &pieces->seen.is_done));
    CHECK_INT(pieces->seen.times, 1);
}

static void test_pieces(struct pieces *pieces)
{
    struct http_request_options get = {.method = "GET", .url = NULL, .on_data = on_data};
    struct http_request_options put = {
        .method = "PUT", .url = NULL, .read_body = on_read, .body_len = 3 * 1024 * 1024};

    TEST("an answer can be taken as it comes") {
        get.url = http("/big");
        see_pieces(pieces, &get);
        CHECK_INT(pieces->status, 200);
        CHECK_INT(pieces->len, 200000);
        CHECK_INT(pieces->seen.body_len, 0);
        CHECK(pieces->count > 1);
    }
    TEST("its limit counts all pieces, and whoever takes them may end it") {
        get.max_body = 100000;
        see_pieces(pieces, &get);
        CHECK_INT(pieces->seen.err.class, ERR_LIMIT);
        CHECK(pieces->len <= 100000);
        get.max_body = 0;
        pieces->fail_at = 1;
        see_pieces(pieces, &get);
        CHECK_STR(pieces->seen.err.text, "no room");
        pieces->fail_at = 0;
    }
    TEST("a body can be read while it is sent, in pieces and in order") {
        put.url = http("/echo");
        see_pieces(pieces, &put);
        CHECK_STR(pieces->seen.body, "PUT 3145728 de4f5d36d5aa455b");
        CHECK_INT(pieces->len, 3 * 1024 * 1024);
        CHECK(pieces->count > 10);
    }
    TEST("a body that cannot be read ends the request") {
        pieces->fail_at = 1024 * 1024;
        see_pieces(pieces, &put);
        CHECK_STR(pieces->seen.err.text, "cannot be read");
        pieces->fail_at = 0;
    }
}

static void test_silence(struct seen *seen)
{
    TEST("a limit of silence begins anew with each piece of the answer, and ends what stops") {
        struct http_request_options options = {
            .method = "GET", .url = http("/drops"), .silence_limit_ms = 400};

        see(seen, &options);
        CHECK_STR(seen->body, "abcdef");
        CHECK(seen->took_ms > 400);
        options.url = http("/stall");
        see(seen, &options);
        CHECK_INT(seen->err.class, ERR_TIMEOUT);
        CHECK(strstr(seen->err.text, "nothing came for 0.4 s: the rest of the body") != NULL);
        options.url = http("/never");
        see(seen, &options);
        CHECK(strstr(seen->err.text, "nothing came for 0.4 s: the answer") != NULL);
    }
}

static void test_failures(struct seen *seen)
{
    TEST("a connection that ends within the body is an error, not a short answer") {
        get(seen, "/cut");
        CHECK(!seen->has_response);
        CHECK_INT(seen->err.class, ERR_NETWORK);
        CHECK(strstr(seen->err.text, "within the answer") != NULL);
        get(seen, "/cut-chunked");
        CHECK(!seen->has_response);
        CHECK_INT(seen->err.class, ERR_NETWORK);
    }
    TEST("nobody listening is an error at once") {
        see(seen, &(struct http_request_options){
                      .method = "GET",
                      .url = fixture_url(&fixture, "http", "127.0.0.1", "refused", "/")});
        CHECK(!seen->has_response);
        CHECK(strstr(seen->err.text, "Connection refused") != NULL);
        CHECK(seen->took_ms < 500);
    }
    TEST("a server that accepts and never answers ends at the limit") {
        see(seen, &(struct http_request_options){
                      .method = "GET",
                      .url = fixture_url(&fixture, "http", "127.0.0.1", "mute", "/"),
                      .total_limit_ms = 100});
        CHECK_INT(seen->err.class, ERR_TIMEOUT);
        CHECK(seen->took_ms >= 95 && seen->took_ms < 600);
        CHECK(strstr(seen->err.text, "the answer is still missing") != NULL);
        see(seen, &(struct http_request_options){
                      .method = "GET", .url = http("/stall"), .total_limit_ms = 100});
        CHECK_INT(seen->err.class, ERR_TIMEOUT);
        CHECK(strstr(seen->err.text, "the rest of the body is still missing") != NULL);
    }
    TEST("a cancelled request tells nothing more, whatever its state") {
        for (int wait_ms = 0; wait_ms < 20; wait_ms++) {
            struct http_request *request =
                start(seen, &(struct http_request_options){
                                .method = "GET", .url = http(wait_ms % 2 ? "/stall" : "/never")});

            fixture_run_for(&fixture, (uint64_t)wait_ms);
            http_request_cancel(request);
        }
        fixture_run_for(&fixture, 50);
        CHECK_INT(seen->times, 0);
    }
    TEST("many requests at once are all answered") {
        enum { COUNT = 50 };
        struct seen *many = calloc(COUNT, sizeof(*many));

        for (int i = 0; i < COUNT; i++)
            start(&many[i], &(struct http_request_options){.method = "GET", .url = http("/json")});
        for (int i = 0; i < COUNT; i++) {
            CHECK(fixture_wait(&fixture, &many[i].is_done));
            CHECK_INT(many[i].status, 200);
        }
        free(many);
    }
}

int main(void)
{
    struct seen *seen = calloc(1, sizeof(*seen));
    struct pieces *pieces = calloc(1, sizeof(*pieces));

    fixture_init(&fixture);
    test_answers(seen);
    test_tls_answers(seen);
    test_requests(seen);
    test_pieces(pieces);
    test_silence(seen);
    test_failures(seen);
    TEST("nothing is left on the loop at the end") {
        CHECK(fixture_end(&fixture));
    }
    free(seen);
    free(pieces);
    return check_done();
}
