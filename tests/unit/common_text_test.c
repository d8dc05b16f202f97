/* Buffers, lines, URLs, the environment, back-off: the small tools keep their promises. */
#include "common/backoff.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/err.h"
#include "common/line_splitter.h"
#include "common/trim.h"
#include "common/url.h"
#include "common/wtf8.h"
#include "tests/unit/check.h"

#include <math.h>
#include <stdlib.h>

static void test_errors(void)
{
    struct err err = {0};

    TEST("context is added outward") {
        CHECK_INT(err_set(&err, ERR_TLS, "certificate %s", "rejected"), -1);
        err_add_context(&err, "fetch");
        err_add_context(&err, "clone %s", "acme/app");
        CHECK_STR(err.text, "clone acme/app: fetch: certificate rejected");
        CHECK_INT(err.class, ERR_TLS);
    }
    TEST("a text that is too long is cut, never overrun") {
        for (int i = 0; i < 200; i++)
            err_add_context(&err, "a rather long context number %d", i);
        CHECK(strlen(err.text) < sizeof err.text);
    }
    TEST("class names go both ways") {
        for (int i = 0; i < ERR_CLASS_COUNT; i++)
            CHECK_INT(err_class_parse(err_class_name((enum err_class)i)), i);
        CHECK_INT(err_class_parse("no such class"), ERR_INTERNAL);
    }
}

static void check_trim(const char *text, const char *wanted)
{
    char *copy = trim_copy(text);

    CHECK_STR(copy, wanted);
    free(copy);
}

static void test_trim(void)
{
    TEST("white space of every kind goes at both ends, and nothing else") {
        check_trim("plain", "plain");
        check_trim(
            " \t\r\n\f\v\x1c\x1f\xc2\x85\u00a0\u1680\u2000\u200a\u2028\u202f\u205f\u3000x y\u3000 ",
            "x y");
        check_trim("\u200b\ufeff\u180e", "\u200b\ufeff\u180e"); /* wide, but none to Python */
        check_trim("\xa0\xff \xe2\x80", "\xa0\xff \xe2\x80");   /* no characters at all */
    }
    TEST("a text that is blank or none gives none") {
        check_trim("", NULL);
        check_trim(" \u00a0", NULL);
        check_trim(NULL, NULL);
    }
    TEST("white space is found anywhere in a text") {
        CHECK(trim_has_blank("a\u2003b"));
        CHECK(trim_has_blank("a "));
        CHECK(!trim_has_blank("a\u00e9"));
        CHECK(!trim_has_blank(""));
    }
}

static void test_buffers(void)
{
    TEST("a buffer past its maximum is poisoned and keeps its bound") {
        AUTO_BUF struct buf buf = BUF_INIT(5);

        buf_puts(&buf, "12345");
        CHECK(!buf_failed(&buf));
        buf_putc(&buf, '6');
        CHECK(buf_failed(&buf));
        buf_puts(&buf, "");
        CHECK(buf_failed(&buf));
        CHECK_STR(buf_text(&buf), "");
        buf_reset(&buf);
        buf_printf(&buf, "%d", 42);
        CHECK_STR(buf_text(&buf), "42");
    }
    TEST("consume drops the front") {
        AUTO_BUF struct buf buf = BUF_INIT(100);

        buf_puts(&buf, "hello world");
        buf_consume(&buf, 6);
        CHECK_STR(buf_text(&buf), "world");
        buf_consume(&buf, 600);
        CHECK_INT(buf.len, 0);
    }
    TEST("take hands the text over, also an empty one") {
        struct buf buf = BUF_INIT(10);
        AUTO_FREE char *empty = buf_take(&buf);

        CHECK_STR(empty, "");
        CHECK(buf.data == NULL);
    }
    TEST("a cut never splits a character") {
        CHECK_INT(wtf8_cut("a\xf0\x9f\x9a\x80", 5, 4), 1);
        CHECK_INT(wtf8_cut("a\xf0\x9f\x9a\x80", 5, 5), 5);
        CHECK_INT(wtf8_tail("a\xf0\x9f\x9a\x80z", 6, 2), 1);
        CHECK_INT(wtf8_tail("ab", 2, 3), 0);
    }
}

static struct buf seen;

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    (void)user;
    buf_append(&seen, line, len);
    if (dropped > 0)
        buf_printf(&seen, "~%zu", dropped);
    buf_putc(&seen, '|');
}

static const char *split(const char *const *chunks, size_t max)
{
    struct line_splitter splitter;

    buf_reset(&seen);
    line_splitter_init(&splitter, max, on_line, NULL);
    for (; *chunks; chunks++)
        line_splitter_feed(&splitter, *chunks, strlen(*chunks));
    line_splitter_end(&splitter);
    line_splitter_free(&splitter);
    return buf_text(&seen);
}

static void test_lines(void)
{
    buf_init(&seen, 1000);
    TEST("lines are found wherever the chunks are cut") {
        const char *const chunks[] = {"on", "e\r", "\ntwo\n\nthr", "ee", NULL};

        CHECK_STR(split(chunks, 100), "one|two||three|");
    }
    TEST("a line that is too long is handed on once, cut, with the count of what was dropped") {
        const char *const chunks[] = {"abc", "def", "ghi\n", "x\n", "1234567", NULL};

        CHECK_STR(split(chunks, 5), "abcde~4|x|12345~2|");
    }
    TEST("a line of just the maximum is whole") {
        const char *const chunks[] = {"abcde\n", "12345", NULL};

        CHECK_STR(split(chunks, 5), "abcde|12345|");
    }
    buf_free(&seen);
}

static void test_urls(void)
{
    struct err err = {0};

    TEST("a URL is taken apart") {
        AUTO_URL struct url url;

        CHECK_INT(url_parse("HTTPS://u:p%40@Example.com:8443?a=b#frag", &url, &err), 0);
        CHECK_STR(url.scheme, "https");
        CHECK_STR(url.userinfo, "u:p%40");
        CHECK_STR(url.host, "Example.com");
        CHECK_INT(url.port, 8443);
        CHECK_STR(url.target, "/?a=b");
        CHECK(url_is_secure(&url));
    }
    TEST("an IPv6 host loses its brackets and gets them back in Host") {
        AUTO_URL struct url url;
        AUTO_BUF struct buf host = BUF_INIT(100);

        CHECK_INT(url_parse("ws://[::1]:80/x", &url, &err), 0);
        CHECK_STR(url.host, "::1");
        url_print_host(&url, &host);
        CHECK_STR(buf_text(&host), "[::1]:80");
    }
    TEST("what is no URL is refused, and the error holds no credentials") {
        const char *const bad[] = {"",
                                   "example.com",
                                   "ftp://x/",
                                   "http://",
                                   "http:///x",
                                   "http://h:0/",
                                   "http://h:x/",
                                   "http://h:70000/",
                                   "http://[1",
                                   "http://s3cret:p@",
                                   "http://h/\r\n",
                                   "http://[::1]x/",
                                   "http://a]b/",
                                   "http://[[::1]]/",
                                   "http://[]:1/"};

        for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
            struct url url;

            CHECK_INT(url_parse(bad[i], &url, &err), -1);
            CHECK(strstr(err.text, "s3cret") == NULL);
            CHECK(url.host == NULL);
        }
    }
}

static void test_url_parts(void)
{
    TEST("encoding leaves only the unreserved characters") {
        AUTO_BUF struct buf out = BUF_INIT(100);

        url_encode("a-b._~/ ü%", &out);
        CHECK_STR(buf_text(&out), "a-b._~%2F%20%C3%BC%25");
    }
    TEST("decoding undoes %XX and leaves what is none") {
        static const char text[] = "a%40b%2fc%zz%4";
        AUTO_BUF struct buf out = BUF_INIT(100);

        url_decode(text, strlen(text), &out);
        CHECK_STR(buf_text(&out), "a@b/c%zz%4");
        buf_reset(&out);
        url_decode("%00", 3, &out);
        CHECK_STR(buf_text(&out), "%00");
    }
    TEST("a query parameter is found by its whole name") {
        CHECK(url_has_parameter("/ws?type=sandbox&token=x", "token"));
        CHECK(url_has_parameter("/ws?token", "token"));
        CHECK(!url_has_parameter("/ws?mytoken=x", "token"));
        CHECK(!url_has_parameter("/ws?token2=x", "token"));
        CHECK(!url_has_parameter("/token=x", "token"));
    }
}

static void test_environment(void)
{
    double seconds;

    TEST("an empty variable is an unset one") {
        setenv("OI_TEST", "", 1);
        CHECK(env_get("OI_TEST") == NULL);
    }
    TEST("true is true or 1 and nothing else") {
        setenv("OI_TEST", " TRUE ", 1);
        CHECK(env_is_true("OI_TEST"));
        setenv("OI_TEST", "yes", 1);
        CHECK(!env_is_true("OI_TEST"));
    }
    TEST("seconds are read as Python's float reads them (B-105)") {
        CHECK(env_parse_seconds(" 1_0.5e1 ", &seconds) == 0 && seconds == 105);
        CHECK(env_parse_seconds("inf", &seconds) == 0 && isinf(seconds));
        CHECK(env_parse_seconds("nan", &seconds) == 0 && isnan(seconds));
        CHECK_INT(env_parse_seconds("0x10", &seconds), -1);
        CHECK_INT(env_parse_seconds("1__0", &seconds), -1);
        CHECK_INT(env_parse_seconds("_1", &seconds), -1);
        CHECK_INT(env_parse_seconds("ten", &seconds), -1);
    }
}

static void test_backoff(void)
{
    TEST("waits double up to the limit and jitter stays inside its band") {
        struct backoff backoff = {.first_ms = 1000, .most_ms = 60000, .jitter_percent = 20};

        CHECK_INT(backoff_next(&backoff, 0), 800);
        CHECK_INT(backoff_next(&backoff, UINT32_MAX), 2400);
        CHECK_INT(backoff_next(&backoff, UINT32_MAX / 2), 4000);
        for (int i = 0; i < 100; i++)
            CHECK(backoff_next(&backoff, UINT32_MAX) <= 60000);
        CHECK_INT(backoff_next(&backoff, 0), 48000);
        backoff_reset(&backoff);
        CHECK_INT(backoff_next(&backoff, 0), 800);
    }
}

int main(void)
{
    test_errors();
    test_trim();
    test_buffers();
    test_lines();
    test_urls();
    test_url_parts();
    test_environment();
    test_backoff();
    return check_done();
}
