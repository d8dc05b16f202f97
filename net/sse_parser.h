/*
 * Cuts OpenCode's event stream (text/event-stream) into the payloads of its frames: B-521..B-523,
 * with the line ends of the standard (LF, CR, CRLF: D-08) and an optional byte order mark. Only
 * `data:` lines count; those of one frame are joined by LF; a frame without data is nothing. Pure:
 * bytes in, callback out, no clock, no I/O. Bytes pass unchanged: what is not UTF-8 is repaired
 * where it leaves the process (common/json.h).
 *
 * Bound: a frame with more than `max` bytes of data is dropped whole and counted in
 * `dropped_frames`; the stream goes on with the next one. Between frames at most
 * SSE_PARSER_KEEP_BYTES stay allocated.
 *
 * The parser owns its buffer. The callback must not free or feed the parser that called it.
 */
#ifndef NET_SSE_PARSER_H
#define NET_SSE_PARSER_H

#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* OpenCode echoes whole attachments and files: events of 4 MB were seen, so this leaves room. */
#define SSE_PARSER_DEFAULT_MAX_BYTES ((size_t)16 * 1024 * 1024)
#define SSE_PARSER_KEEP_BYTES ((size_t)256 * 1024)

/* One frame's payload, never empty. `data[len]` is a writable NUL, so json_parse_in_place() may be
 * used on it; the memory is the parser's and changes after the call. */
typedef void sse_data_fn(void *user, char *data, size_t len);

/* Where the parser stands within the current line. */
enum sse_line_state {
    SSE_LINE_NAME,   /* comparing with "data:" */
    SSE_LINE_BLANKS, /* after "data:", before the first byte that counts */
    SSE_LINE_DATA,
    SSE_LINE_IGNORED,
};

struct sse_parser {
    struct buf data; /* of the current frame */
    sse_data_fn *on_data;
    void *user;
    enum sse_line_state state;
    size_t name_len; /* bytes of "data:" matched so far */
    size_t bom_len;  /* bytes of the byte order mark matched; SIZE_MAX: past the stream's start */
    bool after_cr;   /* the line ended with CR: a LF right after belongs to it */
    bool has_data;   /* the frame has a data line that is not empty */
    uint64_t dropped_frames;
};

void sse_parser_init(struct sse_parser *parser, size_t max, sse_data_fn *on_data, void *user);
void sse_parser_free(struct sse_parser *parser);

/* A new stream begins: forgets a half frame (B-523). Keeps dropped_frames. */
void sse_parser_reset(struct sse_parser *parser);

void sse_parser_feed(struct sse_parser *parser, const char *bytes, size_t len);

#endif
