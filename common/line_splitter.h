/*
 * Cuts a byte stream into lines. A line longer than the maximum is handed on cut to it, once, when it
 * has ended, with the count of the bytes that were dropped. "\r\n" ends a line too. Pure.
 */
#ifndef COMMON_LINE_SPLITTER_H
#define COMMON_LINE_SPLITTER_H

#include "common/buf.h"

#include <stddef.h>

/* `line` has no newline, is followed by a NUL, and is the splitter's: copy it to keep it. `dropped` is 0
 * when it is whole. */
typedef void line_fn(void *user, char *line, size_t len, size_t dropped);

struct line_splitter {
    struct buf line;
    line_fn *on_line;
    void *user;
    size_t dropped; /* of the line that is being read */
};

void line_splitter_init(struct line_splitter *splitter, size_t max, line_fn *on_line, void *user);
void line_splitter_free(struct line_splitter *splitter);
void line_splitter_feed(struct line_splitter *splitter, const char *data, size_t len);

/* The stream ended: hands on a last line without newline. */
void line_splitter_end(struct line_splitter *splitter);

#endif
