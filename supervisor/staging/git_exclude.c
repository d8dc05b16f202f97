#include "supervisor/staging/git_exclude.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "git/repository.h"

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

/* The lines from `from` to `to` that are to stay. */
static void keep_lines(const char *from, const char *to, git_exclude_keep_fn *keep, void *user,
                       struct buf *out)
{
    while (from < to) {
        size_t len = strcspn(from, "\n");
        AUTO_FREE char *line = strndup(from, len);

        if (line && (!keep || keep(user, line)))
            buf_printf(out, "%s\n", line);
        from += len + 1;
    }
}

void git_exclude_edit(const char *text, const char *const *patterns, size_t count,
                      git_exclude_keep_fn *keep, void *user, struct buf *out)
{
    const char *begin = strstr(text, begin_mark);
    const char *inside = begin ? begin + sizeof begin_mark - 1 : NULL;
    const char *end = inside ? strstr(inside, end_mark) : NULL;
    const char *rest = end ? end + sizeof end_mark - 1 : "";
    AUTO_BUF struct buf block = BUF_INIT(EXCLUDE_MAX);

    if (!end)
        begin = inside = end = text + strlen(text);
    keep_lines(inside, end, keep, user, &block);
    for (size_t i = 0; i < count; i++) {
        if (!has_line(buf_text(&block), buf_text(&block) + block.len, patterns[i]))
            buf_printf(&block, "%s\n", patterns[i]);
    }
    buf_append(out, text, (size_t)(begin - text));
    if (block.len > 0) {
        if (begin > text && begin[-1] != '\n')
            buf_putc(out, '\n');
        buf_printf(out, "%s%s%s", begin_mark, buf_text(&block), end_mark);
    }
    buf_puts(out, rest);
    out->failed = out->failed || buf_failed(&block);
}

/* The file's path, and what is in it; nothing when there is none. */
static int read_excludes(const char *checkout, struct buf *path, struct buf *text, struct err *err)
{
    struct err absent;

    if (repository_git_path(checkout, "info/exclude", path, err) != 0)
        return -1;
    if (file_read(buf_text(path), text, &absent) == 0 || absent.class == ERR_NOT_FOUND)
        return 0;
    if (err)
        *err = absent;
    return -1;
}

static int write_excludes(const struct buf *path, const struct buf *before, const struct buf *after,
                          struct err *err)
{
    if (buf_failed(after))
        return err_set(err, ERR_LIMIT, "%s is too large", buf_text(path));
    if (strcmp(buf_text(before), buf_text(after)) == 0)
        return 0;
    return file_write_atomic(buf_text(path), after->data, after->len, FILE_MODE, false, err);
}

int git_exclude_add(const char *checkout, const char *const *patterns, size_t count,
                    struct err *err)
{
    AUTO_BUF struct buf before = BUF_INIT(EXCLUDE_MAX);
    AUTO_BUF struct buf after = BUF_INIT(2 * EXCLUDE_MAX);
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);
    char folder[PATH_MAX];

    if (read_excludes(checkout, &path, &before, err) != 0)
        return -1;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path.data, '/') - path.data), path.data);
    if (!file_exists(folder) && file_make_directories(folder, 0755, err) != 0)
        return -1;
    git_exclude_edit(buf_text(&before), patterns, count, NULL, NULL, &after);
    return write_excludes(&path, &before, &after, err);
}

int git_exclude_filter(const char *checkout, git_exclude_keep_fn *keep, void *user, struct err *err)
{
    AUTO_BUF struct buf before = BUF_INIT(EXCLUDE_MAX);
    AUTO_BUF struct buf after = BUF_INIT(2 * EXCLUDE_MAX);
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);
    struct err why;

    if (read_excludes(checkout, &path, &before, &why) != 0) {
        if (err)
            *err = why;
        return why.class == ERR_NOT_FOUND ? 0 : -1;
    }
    git_exclude_edit(buf_text(&before), NULL, 0, keep, user, &after);
    return write_excludes(&path, &before, &after, err);
}
