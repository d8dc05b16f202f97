#include "git/diff_private.h"
#include "git/diff_similarity.h"
#include "git/git_error.h"
#include "git/quoted_path.h"

#include <string.h>

/* The whole file is shown, as with --unified=1000000. */
#define CONTEXT_LINES 1000000

#define NOTHING "/dev/null"
#define NO_NEWLINE "\\ No newline at end of file\n"
#define PERCENT 100

/* ---- the head ---- */

static void print_ids(const struct diff_pair *pair, struct buf *patch)
{
    char before[DIFF_SHA_SIZE], after[DIFF_SHA_SIZE];

    if (git_oid_equal(&pair->old_side->id, &pair->new_side->id))
        return;
    git_oid_tostr(before, sizeof before, &pair->old_side->id);
    git_oid_tostr(after, sizeof after, &pair->new_side->id);
    buf_printf(patch, "index %s..%s", before, after);
    if (pair->old_side->mode == pair->new_side->mode)
        buf_printf(patch, " %06o", pair->old_side->mode);
    buf_putc(patch, '\n');
}

static void print_rename(const struct diff *diff, const struct diff_pair *pair, struct buf *patch)
{
    buf_printf(patch, "similarity index %u%%\nrename from ",
               (unsigned)((uint64_t)pair->score * PERCENT / SIMILARITY_MAX));
    quoted_path_print("", pair->old_path, diff->quote_high, patch);
    buf_puts(patch, "\nrename to ");
    quoted_path_print("", pair->new_path, diff->quote_high, patch);
    buf_putc(patch, '\n');
}

void diff_print_head(const struct diff *diff, const struct diff_pair *pair, struct buf *patch)
{
    unsigned old_mode = pair->old_side->mode, new_mode = pair->new_side->mode;

    buf_puts(patch, "diff --git ");
    quoted_path_print("a/", pair->old_path, diff->quote_high, patch);
    buf_putc(patch, ' ');
    quoted_path_print("b/", pair->new_path, diff->quote_high, patch);
    buf_putc(patch, '\n');
    if (old_mode == 0)
        buf_printf(patch, "new file mode %06o\n", new_mode);
    else if (new_mode == 0)
        buf_printf(patch, "deleted file mode %06o\n", old_mode);
    else if (old_mode != new_mode)
        buf_printf(patch, "old mode %06o\nnew mode %06o\n", old_mode, new_mode);
    if (pair->score)
        print_rename(diff, pair, patch);
    print_ids(pair, patch);
}

/* A name with a blank is ended by a tab, so that patch(1) finds its end. */
static void print_label(const struct diff *diff, const char *mark, const char *prefix,
                        const char *path, bool is_there, struct buf *patch)
{
    buf_puts(patch, mark);
    if (!is_there) {
        buf_puts(patch, NOTHING "\n");
        return;
    }
    quoted_path_print(prefix, path, diff->quote_high, patch);
    buf_puts(patch, strchr(path, ' ') ? "\t\n" : "\n");
}

static void print_labels(const struct diff *diff, const struct diff_pair *pair, struct buf *patch)
{
    print_label(diff, "--- ", "a/", pair->old_path, pair->old_side->mode != 0, patch);
    print_label(diff, "+++ ", "b/", pair->new_path, pair->new_side->mode != 0, patch);
}

/* ---- one side is empty: nothing is to be compared ---- */

static size_t count_lines(const struct diff_content *content)
{
    size_t lines = 0;

    for (size_t i = 0; i < content->len; i++)
        lines += content->data[i] == '\n';
    return lines + (content->len > 0 && content->data[content->len - 1] != '\n');
}

static void print_all_lines(char mark, const struct diff_content *content, struct buf *patch)
{
    const char *line = content->data, *end = content->data + content->len;

    while (line < end && !buf_failed(patch)) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t len = newline ? (size_t)(newline - line) + 1 : (size_t)(end - line);

        buf_putc(patch, mark);
        buf_append(patch, line, len);
        if (!newline)
            buf_puts(patch, "\n" NO_NEWLINE);
        line += len;
    }
}

static void print_range(size_t lines, struct buf *patch)
{
    if (lines == 1)
        buf_puts(patch, "1");
    else
        buf_printf(patch, "%d,%zu", lines > 0, lines);
}

static void print_one_sided(const struct diff_content *old_content,
                            const struct diff_content *new_content, struct diff_counts *counts,
                            struct buf *patch)
{
    counts->deletions = count_lines(old_content);
    counts->additions = count_lines(new_content);
    buf_puts(patch, "@@ -");
    print_range(counts->deletions, patch);
    buf_puts(patch, " +");
    print_range(counts->additions, patch);
    buf_puts(patch, " @@\n");
    print_all_lines('-', old_content, patch);
    print_all_lines('+', new_content, patch);
}

/* ---- both sides ---- */

struct hunk_printer {
    struct diff *diff;
    struct diff_counts *counts;
    struct buf *patch;
};

static int on_hunk(const git_diff_delta *delta, const git_diff_hunk *hunk, void *user)
{
    struct hunk_printer *printer = user;

    (void)delta;
    buf_append(printer->patch, hunk->header, hunk->header_len);
    return 0;
}

static int on_line(const git_diff_delta *delta, const git_diff_hunk *hunk,
                   const git_diff_line *line, void *user)
{
    struct hunk_printer *printer = user;

    (void)delta, (void)hunk;
    printer->counts->additions += line->origin == GIT_DIFF_LINE_ADDITION;
    printer->counts->deletions += line->origin == GIT_DIFF_LINE_DELETION;
    switch (line->origin) {
    case GIT_DIFF_LINE_CONTEXT:
    case GIT_DIFF_LINE_ADDITION:
    case GIT_DIFF_LINE_DELETION:
        buf_putc(printer->patch, line->origin);
        break;
    default: /* the remark about a newline that is missing stands in the content */
        break;
    }
    buf_append(printer->patch, line->content, line->content_len);
    return 0;
}

static int compare(struct diff *diff, const struct diff_content *old_content,
                   const struct diff_content *new_content, struct diff_counts *counts,
                   struct buf *patch, struct err *err)
{
    struct hunk_printer printer = {diff, counts, patch};
    git_diff_options options;
    int code;

    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_FORCE_TEXT | GIT_DIFF_INDENT_HEURISTIC;
    options.context_lines = CONTEXT_LINES;
    code =
        git_diff_buffers(old_content->data, old_content->len, NULL, new_content->data,
                         new_content->len, NULL, &options, NULL, NULL, on_hunk, on_line, &printer);
    if (code < 0)
        return git_error_to_err(code, "compare lines", err);
    return diff_is_too_late(diff) ? diff_set_too_late(err) : 0;
}

int diff_print_hunk(struct diff *diff, const struct diff_pair *pair,
                    const struct diff_content *old_content, const struct diff_content *new_content,
                    struct diff_counts *counts, struct buf *patch, struct err *err)
{
    if (old_content->len == new_content->len &&
        memcmp(old_content->data, new_content->data, old_content->len) == 0)
        return 0;
    counts->has_hunks = true;
    print_labels(diff, pair, patch);
    if (old_content->len == 0 || new_content->len == 0) {
        print_one_sided(old_content, new_content, counts, patch);
        return 0;
    }
    return compare(diff, old_content, new_content, counts, patch, err);
}
