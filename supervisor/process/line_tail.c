#include "supervisor/process/line_tail.h"

#include "common/wtf8.h"

#include <stdlib.h>
#include <string.h>

void line_tail_add(struct line_tail *tail, const char *line, size_t len)
{
    char **slot = &tail->lines[tail->next];

    free(*slot);
    *slot = strndup(line, wtf8_cut(line, len, LINE_TAIL_LINE_MAX));
    tail->next = (tail->next + 1) % LINE_TAIL_LINES;
}

void line_tail_clear(struct line_tail *tail)
{
    for (size_t i = 0; i < LINE_TAIL_LINES; i++)
        free(tail->lines[i]);
    *tail = (struct line_tail){0};
}

const char *line_tail_last(const struct line_tail *tail)
{
    const char *line = tail->lines[(tail->next + LINE_TAIL_LINES - 1) % LINE_TAIL_LINES];

    return line ? line : "";
}

void line_tail_print(const struct line_tail *tail, struct buf *out)
{
    for (size_t i = 0; i < LINE_TAIL_LINES; i++) {
        const char *line = tail->lines[(tail->next + i) % LINE_TAIL_LINES];

        if (!line)
            continue;
        if (out->len > 0)
            buf_putc(out, '\n');
        buf_puts(out, line);
    }
}
