#include "supervisor/staging/git_exclude.h"

#include "common/cleanup.h"
#include "common/file.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define EXCLUDE_MAX (1024 * 1024)
#define FILE_MODE 0644

static const char begin_mark[] = "# BEGIN Open-Inspect runtime assets\n";
static const char end_mark[] = "# END Open-Inspect runtime assets\n";

/* `line` stands in the text from `from` to `to` as a whole line. */
static bool has_line(const char *from, const char *to, const char *line)
{
    size_t len = strlen(line);

    while (from < to) {
        const char *end = memchr(from, '\n', (size_t)(to - from));

        if (!end)
            end = to;
        if ((size_t)(end - from) == len && memcmp(from, line, len) == 0)
            return true;
        from = end + 1;
    }
    return false;
}

void git_exclude_edit(const char *text, const char *const *patterns, size_t count, struct buf *out)
{
    const char *begin = strstr(text, begin_mark);
    const char *inside = begin ? begin + sizeof begin_mark - 1 : NULL;
    const char *end = inside ? strstr(inside, end_mark) : NULL;

    if (!end) {
        begin = inside = end = text + strlen(text);
        buf_puts(out, text);
        if (begin > text && begin[-1] != '\n')
            buf_putc(out, '\n');
    } else {
        buf_append(out, text, (size_t)(begin - text));
    }
    buf_puts(out, begin_mark);
    buf_append(out, inside, (size_t)(end - inside));
    for (size_t i = 0; i < count; i++) {
        if (!has_line(inside, end, patterns[i]))
            buf_printf(out, "%s\n", patterns[i]);
    }
    buf_puts(out, end_mark);
    if (*end)
        buf_puts(out, end + sizeof end_mark - 1);
}

int git_exclude_add(const char *checkout, const char *const *patterns, size_t count,
                    struct err *err)
{
    AUTO_BUF struct buf before = BUF_INIT(EXCLUDE_MAX);
    AUTO_BUF struct buf after = BUF_INIT(2 * EXCLUDE_MAX);
    char folder[PATH_MAX];
    char path[PATH_MAX];
    struct err absent;

    if (snprintf(path, sizeof path, "%s/.git/info/exclude", checkout) >= (int)sizeof path)
        return err_set_sys(err, ENAMETOOLONG, "%s", checkout);
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (!file_exists(folder) && file_make_directories(folder, 0755, err) != 0)
        return -1;
    if (file_read(path, &before, &absent) != 0 && absent.class != ERR_NOT_FOUND) {
        if (err)
            *err = absent;
        return -1;
    }
    git_exclude_edit(buf_text(&before), patterns, count, &after);
    if (buf_failed(&after))
        return err_set(err, ERR_LIMIT, "%s is too large", path);
    if (strcmp(buf_text(&before), buf_text(&after)) == 0)
        return 0;
    return file_write_atomic(path, after.data, after.len, FILE_MODE, false, err);
}
