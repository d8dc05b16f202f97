#include "net/sse_parser.h"

#include "tests/unit/check.h"

#include <stdlib.h>

#define SEEN_MAX 8

struct seen {
    int count;
    char *payloads[SEEN_MAX];
};

static void on_data(void *user, char *data, size_t len)
{
    struct seen *seen = user;

    CHECK_INT(data[len], 0);
    if (seen->count < SEEN_MAX)
        seen->payloads[seen->count] = strdup(data);
    seen->count++;
}

static void forget(struct seen *seen)
{
    for (int i = 0; i < seen->count && i < SEEN_MAX; i++)
        free(seen->payloads[i]);
    *seen = (struct seen){0};
}

static const char *payload(const struct seen *seen, int index)
{
    return index < seen->count && index < SEEN_MAX ? seen->payloads[index] : NULL;
}

static void feed(const char *stream, size_t chunk, size_t max, struct seen *seen)
{
    struct sse_parser parser;
    size_t len = strlen(stream);

    forget(seen);
    sse_parser_init(&parser, max, on_data, seen);
    for (size_t at = 0; at < len; at += chunk)
        sse_parser_feed(&parser, stream + at, len - at < chunk ? len - at : chunk);
    sse_parser_free(&parser);
}

static void test_framing(void)
{
    struct seen seen = {0};

    TEST("a frame ends with an empty line") {
        feed("data: {\"a\":1}\n\ndata: {\"b\":2}\n\n", 1000, 1000, &seen);
        CHECK_INT(seen.count, 2);
        CHECK_STR(payload(&seen, 0), "{\"a\":1}");
        CHECK_STR(payload(&seen, 1), "{\"b\":2}");
    }
    TEST("CRLF and CR end lines too (D-08), wherever the chunks are cut") {
        for (size_t chunk = 1; chunk < 12; chunk++) {
            feed("data: one\r\n\r\ndata: two\r\rdata: three\n\n", chunk, 1000, &seen);
            CHECK_INT(seen.count, 3);
            CHECK_STR(payload(&seen, 0), "one");
            CHECK_STR(payload(&seen, 1), "two");
            CHECK_STR(payload(&seen, 2), "three");
        }
    }
    TEST("data lines of one frame are joined by LF, empty ones are skipped (B-522)") {
        feed("data: a\ndata:\ndata:   \ndata:b\n\n", 3, 1000, &seen);
        CHECK_INT(seen.count, 1);
        CHECK_STR(payload(&seen, 0), "a\nb");
    }
    TEST("other lines and frames without data are nothing") {
        feed(":comment\n\nevent: x\nid: 1\nretry: 5\njunk\n\ndata:\n\n\n\ndat: x\n\n", 2, 1000,
             &seen);
        CHECK_INT(seen.count, 0);
    }
    TEST("a frame that the end of the stream cuts is dropped (B-523)") {
        feed("data: whole\n\ndata: half\n", 1000, 1000, &seen);
        CHECK_INT(seen.count, 1);
    }
    TEST("a byte order mark before the first line is skipped") {
        for (size_t chunk = 1; chunk < 5; chunk++) {
            feed("\xef\xbb\xbf"
                 "data: x\n\n",
                 chunk, 1000, &seen);
            CHECK_INT(seen.count, 1);
            CHECK_STR(payload(&seen, 0), "x");
        }
    }
    forget(&seen);
}

static void test_bounds(void)
{
    struct seen seen = {0};
    struct sse_parser parser;

    TEST("a frame over the limit is dropped and counted, the next one arrives") {
        sse_parser_init(&parser, 8, on_data, &seen);
        sse_parser_feed(&parser, "data: 123456789\n\ndata: 12345678\n\n", 33);
        CHECK_INT(seen.count, 1);
        CHECK_STR(payload(&seen, 0), "12345678");
        CHECK_INT(parser.dropped_frames, 1);
        sse_parser_free(&parser);
        forget(&seen);
    }
    TEST("a large frame's memory is given back after it") {
        size_t len = SSE_PARSER_KEEP_BYTES * 2;
        char *large = malloc(len);

        memset(large, 'x', len);
        sse_parser_init(&parser, SSE_PARSER_DEFAULT_MAX_BYTES, on_data, &seen);
        sse_parser_feed(&parser, "data:", 5);
        sse_parser_feed(&parser, large, len);
        sse_parser_feed(&parser, "\n\n", 2);
        CHECK_INT(seen.count, 1);
        CHECK(parser.data.cap <= SSE_PARSER_KEEP_BYTES);
        sse_parser_free(&parser);
        free(large);
        forget(&seen);
    }
    TEST("after a reset the half frame of the old stream is forgotten") {
        sse_parser_init(&parser, 100, on_data, &seen);
        sse_parser_feed(&parser, "data: old\ndata: st", 18);
        sse_parser_reset(&parser);
        sse_parser_feed(&parser, "data: new\n\n", 11);
        CHECK_INT(seen.count, 1);
        CHECK_STR(payload(&seen, 0), "new");
        sse_parser_free(&parser);
        forget(&seen);
    }
}

int main(void)
{
    test_framing();
    test_bounds();
    return check_done();
}
