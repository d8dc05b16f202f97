/*
 * Counts and patch of one change.
 */
#include "git/diff_private.h"

#include <sys/stat.h>

static bool has_too_many_lines(const struct diff_content *a, const struct diff_content *b)
{
    const struct diff_content *both[] = {a, b};
    size_t lines = 0;

    /* Where one is empty nothing is compared. */
    if (a->len == 0 || b->len == 0)
        return false;
    for (size_t i = 0; i < 2; i++) {
        for (size_t at = 0; at < both[i]->len; at++)
            lines += both[i]->data[at] == '\n';
    }
    return lines > DIFF_LINES_MAX;
}

static const struct diff_side ABSENT = {0};
static const struct diff_content EMPTY = {.data = ""};

/* git shows a file that became a link, or the reverse, as a deletion and an addition, but counts the
 * lines by which they differ. */
static int print_type_change(struct diff *diff, const struct diff_pair *pair,
                             const struct diff_content *old_content,
                             const struct diff_content *new_content, struct diff_counts *counts,
                             struct buf *patch, struct err *err)
{
    AUTO_BUF struct buf unused = BUF_INIT(0);
    struct diff_pair removed = *pair, added = *pair;
    struct diff_counts part = {0};

    removed.new_side = &ABSENT;
    added.old_side = &ABSENT;
    diff_print_head(diff, &removed, patch);
    if (diff_print_hunk(diff, &removed, old_content, &EMPTY, &part, patch, err) != 0)
        return -1;
    diff_print_head(diff, &added, patch);
    if (diff_print_hunk(diff, &added, &EMPTY, new_content, &part, patch, err) != 0 ||
        diff_print_hunk(diff, pair, old_content, new_content, counts, &unused, err) != 0)
        return -1;
    counts->has_hunks = part.has_hunks;
    return 0;
}

static int print_pair(struct diff *diff, const struct diff_pair *pair,
                      const struct diff_content *old_content,
                      const struct diff_content *new_content, struct diff_counts *counts,
                      struct buf *patch, struct err *err)
{
    unsigned old_type = pair->old_side->mode & S_IFMT, new_type = pair->new_side->mode & S_IFMT;

    counts->binary = diff_content_is_binary(diff, pair->old_path, old_content) ||
                     diff_content_is_binary(diff, pair->new_path, new_content) ||
                     has_too_many_lines(old_content, new_content);
    if (counts->binary)
        return 0;
    if (old_type && new_type && old_type != new_type)
        return print_type_change(diff, pair, old_content, new_content, counts, patch, err);
    diff_print_head(diff, pair, patch);
    return diff_print_hunk(diff, pair, old_content, new_content, counts, patch, err);
}

static int render_pair(struct diff *diff, const struct diff_pair *pair, struct diff_counts *counts,
                       struct buf *patch, struct err *err)
{
    struct diff_content old_content = {0}, new_content = {0};
    int code = diff_content_load(diff, pair->old_path, pair->old_side, &old_content, err);

    *counts = (struct diff_counts){0};
    if (code == 0)
        code = diff_content_load(diff, pair->new_path, pair->new_side, &new_content, err);
    if (code == 0)
        code = print_pair(diff, pair, &old_content, &new_content, counts, patch, err);
    diff_content_free(&old_content);
    diff_content_free(&new_content);
    return code;
}

static int render_untracked(struct diff *diff, const char *path, struct diff_counts *counts,
                            struct buf *patch, struct err *err)
{
    struct diff_side side = {.mode = diff_mode_on_disk(diff, path, 0), .on_disk = true};
    const struct diff_pair pair = {path, path, &ABSENT, &side, 0};

    *counts = (struct diff_counts){0};
    /* A repository in the checkout is listed as "folder/". */
    if (side.mode == 0 || side.mode == DIFF_MODE_SUBMODULE)
        return 0;
    if (diff_identify(diff, path, &side, err) != 0)
        return -1;
    return render_pair(diff, &pair, counts, patch, err);
}

static int render_overlaid(struct diff *diff, const struct diff_entry *entry,
                           struct diff_counts *counts, struct err *err)
{
    AUTO_BUF struct buf unused = BUF_INIT(0);
    const struct diff_pair pair = {entry->path, entry->path, &entry->old_side, &ABSENT, 0};
    struct diff_counts added;

    if (render_pair(diff, &pair, counts, &unused, err) != 0 ||
        render_untracked(diff, entry->path, &added, &unused, err) != 0)
        return -1;
    counts->additions += added.additions;
    counts->deletions += added.deletions;
    counts->binary |= added.binary;
    return 0;
}

int diff_render(struct diff *diff, size_t index, struct diff_counts *counts, struct buf *patch,
                struct err *err)
{
    const struct diff_entry *entry;
    struct diff_pair pair;

    diff_begin_step(diff);
    if (index >= diff->count)
        return render_untracked(diff, diff->untracked[index - diff->count], counts, patch, err);
    entry = &diff->entries[index];
    if (entry->overlaid)
        return render_overlaid(diff, entry, counts, err);
    pair = (struct diff_pair){.old_path = entry->old_path ? entry->old_path : entry->path,
                              .new_path = entry->path,
                              .old_side = &entry->old_side,
                              .new_side = &entry->new_side,
                              .score = entry->score};
    return render_pair(diff, &pair, counts, patch, err);
}
