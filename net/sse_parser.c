#include "net/sse_parser.h"

#include <string.h>

static const char data_name[] = "data:";
static const char byte_order_mark[] = "\xef\xbb\xbf";

#define NAME_LENGTH (sizeof(data_name) - 1)
#define BOM_LENGTH (sizeof(byte_order_mark) - 1)
#define BOM_PASSED SIZE_MAX

static void start_line(struct sse_parser *parser)
{
    parser->state = SSE_LINE_NAME;
    parser->name_len = 0;
}

static void start_frame(struct sse_parser *parser)
{
    size_t max = parser->data.max;

    if (parser->data.cap > SSE_PARSER_KEEP_BYTES) {
        buf_free(&parser->data);
        buf_init(&parser->data, max);
    } else {
        buf_reset(&parser->data);
    }
    parser->has_data = false;
}

void sse_parser_init(struct sse_parser *parser, size_t max, sse_data_fn *on_data, void *user)
{
    *parser = (struct sse_parser){.on_data = on_data, .user = user};
    buf_init(&parser->data, max);
    start_line(parser);
}

void sse_parser_free(struct sse_parser *parser)
{
    buf_free(&parser->data);
}

void sse_parser_reset(struct sse_parser *parser)
{
    start_frame(parser);
    start_line(parser);
    parser->bom_len = 0;
    parser->after_cr = false;
}

static void end_frame(struct sse_parser *parser)
{
    if (buf_failed(&parser->data))
        parser->dropped_frames++;
    else if (parser->has_data)
        parser->on_data(parser->user, parser->data.data, parser->data.len);
    start_frame(parser);
}

static void end_line(struct sse_parser *parser)
{
    bool empty = parser->state == SSE_LINE_NAME && parser->name_len == 0;

    if (empty)
        end_frame(parser);
    start_line(parser);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static size_t line_end_offset(const char *bytes, size_t len)
{
    const char *lf = memchr(bytes, '\n', len);
    const char *cr;

    if (lf)
        len = (size_t)(lf - bytes);
    cr = memchr(bytes, '\r', len);
    return cr ? (size_t)(cr - bytes) : len;
}

/* Consumes bytes of the current line; `len` is at least 1 and no byte ends the line. */
static void feed_line(struct sse_parser *parser, const char *bytes, size_t len)
{
    const char *end = bytes + len;

    while (parser->state == SSE_LINE_NAME && bytes < end) {
        if (*bytes != data_name[parser->name_len]) {
            parser->state = SSE_LINE_IGNORED;
        } else {
            bytes++;
            if (++parser->name_len == NAME_LENGTH)
                parser->state = SSE_LINE_BLANKS;
        }
    }
    while (parser->state == SSE_LINE_BLANKS && bytes < end) {
        if (is_blank(*bytes)) {
            bytes++;
            continue;
        }
        if (parser->has_data)
            buf_putc(&parser->data, '\n');
        parser->has_data = true;
        parser->state = SSE_LINE_DATA;
    }
    if (parser->state == SSE_LINE_DATA && bytes < end)
        buf_append(&parser->data, bytes, (size_t)(end - bytes));
}

/* Returns how many bytes at the start of the stream belong to a byte order mark. Bytes that only
 * began like one are on a line that is no `data:` line, so they may be forgotten. */
static size_t skip_byte_order_mark(struct sse_parser *parser, const char *bytes, size_t len)
{
    size_t skipped = 0;

    while (parser->bom_len < BOM_LENGTH && skipped < len) {
        if (bytes[skipped] != byte_order_mark[parser->bom_len]) {
            if (parser->bom_len > 0)
                parser->state = SSE_LINE_IGNORED;
            parser->bom_len = BOM_PASSED;
            return skipped;
        }
        skipped++;
        parser->bom_len++;
    }
    return skipped;
}

void sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t len)
{
    size_t at = skip_byte_order_mark(parser, bytes, len);

    while (at < len) {
        size_t run;

        if (parser->after_cr) {
            parser->after_cr = false;
            if (bytes[at] == '\n') {
                at++;
                continue;
            }
        }
        run = line_end_offset(bytes + at, len - at);
        if (run > 0)
            feed_line(parser, bytes + at, run);
        at += run;
        if (at < len) {
            parser->after_cr = bytes[at] == '\r';
            at++;
            end_line(parser);
        }
    }
}
