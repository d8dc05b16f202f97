#include "git/diff_exclusions.h"

#include <string.h>

static const char begin_mark[] = "# BEGIN Open-Inspect runtime assets";
static const char end_mark[] = "# END Open-Inspect runtime assets";

static bool is_line(const char *line, size_t len, const char *wanted)
{
    return len == strlen(wanted) && memcmp(line, wanted, len) == 0;
}

static void add_path(const char *line, size_t len, struct buf *paths)
{
    if (line[0] != '/')
        return;
    while (len > 1 && line[len - 1] == '/')
        len--;
    if (len > 1)
        buf_append(paths, line + 1, len - 1);
    if (len > 1)
        buf_putc(paths, '\0');
}

void diff_exclusions_parse(const char *text, struct buf *paths)
{
    bool inside = false;

    while (*text) {
        size_t len = strcspn(text, "\n"), visible = len;

        while (visible > 0 && strchr(" \t\r", text[visible - 1]))
            visible--;
        if (is_line(text, visible, begin_mark))
            inside = true;
        else if (is_line(text, visible, end_mark))
            inside = false;
        else if (inside && visible > 0)
            add_path(text, visible, paths);
        text += len + (text[len] == '\n');
    }
}

bool diff_exclusions_cover(const struct buf *paths, const char *path)
{
    size_t at = 0;

    while (at < paths->len) {
        const char *excluded = paths->data + at;
        size_t len = strlen(excluded);

        if (strncmp(path, excluded, len) == 0 && (path[len] == '\0' || path[len] == '/'))
            return true;
        at += len + 1;
    }
    return false;
}
