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

/* The oldest has the number 0; NULL: there were not so many. */
static const char *line_at(const struct line_tail *tail, size_t number)
{
    return tail->lines[(tail->next + number) % LINE_TAIL_LINES];
}

const char *line_tail_last(const struct line_tail *tail)
{
    const char *line = line_at(tail, LINE_TAIL_LINES - 1);

    return line ? line : "";
}

void line_tail_print(const struct line_tail *tail, struct buf *out)
{
    size_t room = out->max - out->len, first = LINE_TAIL_LINES;

    while (first > 0) {
        const char *line = line_at(tail, first - 1);
        size_t needed = line ? strlen(line) + 1 : 0;

        if (!line || needed > room)
            break;
        room -= needed;
        first--;
    }
    for (size_t i = first; i < LINE_TAIL_LINES; i++) {
        if (out->len > 0)
            buf_putc(out, '\n');
        buf_puts(out, line_at(tail, i));
    }
}
