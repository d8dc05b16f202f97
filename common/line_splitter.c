#include "common/line_splitter.h"

#include <string.h>

void line_splitter_init(struct line_splitter *splitter, size_t max, line_fn *on_line, void *user)
{
    *splitter = (struct line_splitter){.line = BUF_INIT(max), .on_line = on_line, .user = user};
}

void line_splitter_free(struct line_splitter *splitter)
{
    buf_free(&splitter->line);
}

static void hand_on(struct line_splitter *splitter)
{
    struct buf *line = &splitter->line;
    size_t dropped = splitter->dropped;

    splitter->dropped = 0;
    if (!buf_reserve(line, 0))
        return;
    if (dropped == 0 && line->len > 0 && line->data[line->len - 1] == '\r')
        line->len--;
    line->data[line->len] = '\0';
    splitter->on_line(splitter->user, line->data, line->len, dropped);
    buf_reset(line);
}

static void take(struct line_splitter *splitter, const char *data, size_t len)
{
    struct buf *line = &splitter->line;
    size_t room = line->max - line->len;
    size_t kept = len < room ? len : room;

    buf_append(line, data, kept);
    splitter->dropped += len - kept;
}

void line_splitter_feed(struct line_splitter *splitter, const char *data, size_t len)
{
    while (len > 0) {
        const char *newline = memchr(data, '\n', len);
        size_t part = newline ? (size_t)(newline - data) : len;

        take(splitter, data, part);
        if (!newline)
            return;
        hand_on(splitter);
        data += part + 1;
        len -= part + 1;
    }
}

void line_splitter_end(struct line_splitter *splitter)
{
    if (splitter->line.len > 0)
        hand_on(splitter);
}
