#include "supervisor/staging/git_exclude.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "git/repository.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXCLUDE_MAX (1024 * 1024)
#define FILE_MODE 0644

static const char begin_mark[] = "# BEGIN Open-Inspect runtime assets";
static const char end_mark[] = "# END Open-Inspect runtime assets";

/* The block's patterns; the strings are ours. */
struct patterns {
    char **items;
    size_t count;
    bool failed; /* out of memory */
};

static void free_patterns(struct patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++)
        free(patterns->items[i]);
    free(patterns->items);
}

static void add_pattern(struct patterns *patterns, const char *text, size_t len)
{
    char **items = reallocarray(patterns->items, patterns->count + 1, sizeof *items);
    char *copy = strndup(text, len);

    if (items)
        patterns->items = items;
    if (items && copy)
        items[patterns->count++] = TAKE_PTR(copy);
    else
        patterns->failed = true;
    free(copy);
}

static int compare_patterns(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorted, each once (S-249). */
static void print_block(struct patterns *patterns, struct buf *out)
{
    if (patterns->count > 1)
        qsort(patterns->items, patterns->count, sizeof *patterns->items, compare_patterns);
    buf_printf(out, "%s\n", begin_mark);
    for (size_t i = 0; i < patterns->count; i++) {
        if (i == 0 || strcmp(patterns->items[i], patterns->items[i - 1]) != 0)
            buf_printf(out, "%s\n", patterns->items[i]);
    }
    buf_printf(out, "%s\n", end_mark);
}

static size_t line_len(const char *line)
{
    return strcspn(line, "\r\n");
}

/* Behind the end of the line, whichever it is, if any: an editor may have changed it (S-251). */
static const char *next_line(const char *line)
{
    line += line_len(line);
    line += *line == '\r';
    return line + (*line == '\n');
}

/* Where `mark` is a line of its own; NULL when it is none. */
static const char *find_line(const char *text, const char *mark)
{
    for (; *text; text = next_line(text)) {
        if (line_len(text) == strlen(mark) && memcmp(text, mark, strlen(mark)) == 0)
            return text;
    }
    return NULL;
}

void git_exclude_edit(const char *text, const char *const *patterns, size_t count,
                      git_exclude_keep_fn *keep, void *user, struct buf *out)
{
    const char *begin = find_line(text, begin_mark);
    const char *end = begin ? find_line(begin, end_mark) : NULL;
    const char *rest = end ? next_line(end) : "";
    struct patterns block = {0};

    if (!end)
        begin = end = text + strlen(text);
    for (const char *line = next_line(begin); line < end; line = next_line(line)) {
        add_pattern(&block, line, line_len(line));
        if (!block.failed && keep && !keep(user, block.items[block.count - 1]))
            free(block.items[--block.count]);
    }
    for (size_t i = 0; i < count; i++)
        add_pattern(&block, patterns[i], strlen(patterns[i]));
    buf_append(out, text, (size_t)(begin - text));
    if (block.count > 0) {
        if (begin > text && begin[-1] != '\n')
            buf_putc(out, '\n');
        print_block(&block, out);
    }
    buf_puts(out, rest);
    out->failed = out->failed || block.failed;
    free_patterns(&block);
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
