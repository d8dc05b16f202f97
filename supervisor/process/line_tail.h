/*
 * The last lines of a child's output, for the report of its failure (S-261, S-327). Pure, bounded:
 * LINE_TAIL_LINES lines of at most LINE_TAIL_LINE_MAX bytes. Owns its copies.
 */
#ifndef SUPERVISOR_PROCESS_LINE_TAIL_H
#define SUPERVISOR_PROCESS_LINE_TAIL_H

#include "common/buf.h"

#include <stddef.h>

#define LINE_TAIL_LINES 50
#define LINE_TAIL_LINE_MAX 4096

struct line_tail {
    char *lines[LINE_TAIL_LINES];
    size_t next; /* where the next line goes: the oldest one when full */
};

void line_tail_add(struct line_tail *tail, const char *line, size_t len);
void line_tail_clear(struct line_tail *tail);

/* The newest line; "" when there is none. Valid until the next one. */
const char *line_tail_last(const struct line_tail *tail);

/* Appends the lines, oldest first, joined by newlines. When not all fit, the oldest are left out: why
 * something failed stands at the end. */
void line_tail_print(const struct line_tail *tail, struct buf *out);

#endif
