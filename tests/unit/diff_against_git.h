/*
 * Compares a whole difference with what the real git prints: the records of --raw, the counts of
 * --numstat, each patch, and the list of untracked files. For one test program each.
 */
#ifndef TESTS_UNIT_DIFF_AGAINST_GIT_H
#define TESTS_UNIT_DIFF_AGAINST_GIT_H

#include "git/diff.h"

#include "tests/unit/check.h"
#include "tests/unit/diff_fixture.h"

#define STEP_MS 60000
#define LISTING_MAX 8000000
#define RENDERED_LIST_BYTES 500
#define FULL_CONTEXT "--unified=1000000"

static struct diff_fixture fixture;
static struct buf out = BUF_INIT(DIFF_OUTPUT_MAX), patch = BUF_INIT(DIFF_OUTPUT_MAX);
static struct buf numstat = BUF_INIT(DIFF_OUTPUT_MAX);

static inline struct diff *open_diff(struct err *err)
{
    const struct diff_options options = {
        .path = fixture.path, .base = fixture.base, .listing_max = LISTING_MAX, .step_ms = STEP_MS};
    struct diff *diff;

    if (diff_open(&options, &diff, err) != 0)
        printf("  %s\n", err->text);
    return diff;
}

static inline char letter_of(enum diff_status status)
{
    static const char letters[] = {[DIFF_ADDED] = 'A',
                                   [DIFF_MODIFIED] = 'M',
                                   [DIFF_DELETED] = 'D',
                                   [DIFF_RENAMED] = 'R',
                                   [DIFF_TYPE_CHANGED] = 'T'};
    return letters[status];
}

/* One record of `git diff --raw -z` is the change; returns what follows it. */
static inline const char *check_raw(const char *raw, const struct diff_change *change)
{
    unsigned old_mode, new_mode;
    char letter;

    CHECK_INT(sscanf(raw, ":%o %o %*s %*s %c", &old_mode, &new_mode, &letter), 3);
    CHECK_INT(change->old_mode, old_mode);
    CHECK_INT(change->new_mode, new_mode);
    CHECK_INT(letter_of(change->status), letter);
    raw += strlen(raw) + 1;
    if (letter == 'R') {
        CHECK_STR(change->old_path, raw);
        raw += strlen(raw) + 1;
    }
    CHECK_STR(change->path, raw);
    return raw + strlen(raw) + 1;
}

/* "3\t1\tpath" or, of a rename, "3\t1\t", old path, new path. */
static inline const char *check_numstat(const char *text, const struct diff_counts *counts)
{
    char wanted[64];
    int len;

    if (counts->binary)
        len = snprintf(wanted, sizeof wanted, "-\t-\t");
    else
        len = snprintf(wanted, sizeof wanted, "%zu\t%zu\t", counts->additions, counts->deletions);
    if (strncmp(text, wanted, (size_t)len) != 0)
        CHECK_STR(text, wanted);
    text += strcspn(text, "\t") + 1;
    text += strcspn(text, "\t") + 1;
    if (*text == '\0') {
        text++;
        text += strlen(text) + 1;
    }
    return text + strlen(text) + 1;
}

/* Of a submodule only the commits are told, of a link to a folder git makes no patch of its own. */
static inline bool has_patch_of_git(const struct diff_change *change)
{
    char path[4096];
    struct stat found;

    if (change->old_submodule[0] || change->new_submodule[0])
        return false;
    snprintf(path, sizeof path, "%s/%s", fixture.path, change->path);
    return !change->untracked || stat(path, &found) != 0 || !S_ISDIR(found.st_mode);
}

/* A path that was a folder, or became one, stands for what is in the folder too when git is asked for
 * it; that is not this file's patch. Leaves of `text` the part that begins as `wanted` does. */
static inline void cut_other_paths(struct buf *text, const struct buf *wanted)
{
    static const char head[] = "diff --git ";
    const char *line_end = wanted->len ? memchr(wanted->data, '\n', wanted->len) : NULL;
    const char *ours;

    if (!line_end || text->len <= wanted->len)
        return;
    ours = memmem(text->data, text->len, wanted->data, (size_t)(line_end + 1 - wanted->data));
    if (ours && (ours == text->data || ours[-1] == '\n'))
        buf_consume(text, (size_t)(ours - text->data));
    if (text->len > wanted->len && strncmp(text->data + wanted->len, head, sizeof head - 1) == 0) {
        text->len = wanted->len;
        text->data[text->len] = '\0';
    }
}

static inline void check_patch(const struct diff_change *change, const struct diff_counts *counts)
{
    if (!has_patch_of_git(change))
        return;
    if (change->untracked)
        diff_git(&fixture, &out, "--no-index", "--full-index", FULL_CONTEXT, "--", "/dev/null",
                 change->path);
    else
        diff_git(&fixture, &out, "--full-index", "--find-renames", FULL_CONTEXT, fixture.base, "--",
                 change->old_path ? change->old_path : change->path, change->path);
    if (counts->binary)
        return;
    cut_other_paths(&out, &patch);
    CHECK_STR(buf_text(&patch), buf_text(&out));
    CHECK_INT(patch.len, out.len);
}

static inline void check_tracked(struct diff *diff, size_t count)
{
    struct buf raw = BUF_INIT(DIFF_OUTPUT_MAX);
    const char *record, *line;

    diff_git(&fixture, &raw, "--raw", "-z", "--no-abbrev", "--find-renames", fixture.base);
    diff_git(&fixture, &numstat, "--numstat", "-z", "--find-renames", fixture.base);
    record = buf_text(&raw);
    line = buf_text(&numstat);
    for (size_t i = 0; i < count; i++) {
        const struct diff_change *change = diff_at(diff, i);
        struct diff_counts counts;
        struct err err = {0};

        if (!*record) {
            CHECK_STR(change->path, "(git has no more)");
            break;
        }
        record = check_raw(record, change);
        buf_reset(&patch);
        if (change->overlaid) {
            line += strlen(line) + 1;
            continue;
        }
        CHECK_INT(diff_render(diff, i, &counts, &patch, &err), 0);
        line = check_numstat(line, &counts);
        check_patch(change, &counts);
    }
    CHECK_STR(record, "");
    buf_free(&raw);
}

static inline bool is_overlaid(struct diff *diff, const char *path)
{
    for (size_t i = 0; i < diff_count(diff) && !diff_at(diff, i)->untracked; i++) {
        if (diff_at(diff, i)->overlaid && strcmp(diff_at(diff, i)->path, path) == 0)
            return true;
    }
    return false;
}

static inline void check_untracked(struct diff *diff, size_t first)
{
    struct buf list = BUF_INIT(DIFF_OUTPUT_MAX);
    const char *path;
    size_t at = first;

    diff_capture(
        &fixture, &list,
        (const char *const[]){"git", "ls-files", "--others", "--exclude-standard", "-z", NULL});
    /* Of very many only some are rendered, for git is run for each. */
    for (path = buf_text(&list); *path; path += strlen(path) + 1) {
        const struct diff_change *change;
        struct diff_counts counts;
        struct err err = {0};

        if (is_overlaid(diff, path))
            continue;
        change = at < diff_count(diff) ? diff_at(diff, at) : NULL;
        CHECK_STR(change ? change->path : "(nothing)", path);
        if (!change || strcmp(change->path, path) != 0)
            break;
        if (at++ % (list.len / RENDERED_LIST_BYTES + 1) != 0)
            continue;
        buf_reset(&patch);
        CHECK_INT(diff_render(diff, at - 1, &counts, &patch, &err), 0);
        diff_git(&fixture, &out, "--no-index", "--numstat", "--", "/dev/null", path);
        if (out.len)
            check_numstat(buf_text(&out), &counts);
        else if (has_patch_of_git(change))
            CHECK_INT(counts.additions + counts.deletions, 0);
        check_patch(change, &counts);
    }
    CHECK_INT(at, diff_count(diff));
    buf_free(&list);
}

static inline size_t count_tracked(struct diff *diff)
{
    size_t count = 0;

    while (count < diff_count(diff) && !diff_at(diff, count)->untracked)
        count++;
    return count;
}

/* All of it. An overlaid file is listed twice by git, so that its untracked half is left out here. */
static inline void check_as_git(void)
{
    struct err err = {0};
    AUTO_DIFF struct diff *diff = open_diff(&err);

    CHECK(diff != NULL);
    if (!diff)
        return;
    check_tracked(diff, count_tracked(diff));
    check_untracked(diff, count_tracked(diff));
}

/* A first commit, what the session then did, and the comparison. */
static inline void check_session(const char *setup, const char *session)
{
    diff_begin(&fixture);
    diff_shell(&fixture, "%s\ngit add -A .; git commit -qm base --allow-empty", setup);
    diff_set_base(&fixture);
    diff_shell(&fixture, "%s", session);
    check_as_git();
}

static inline void diff_buffers_free(void)
{
    buf_free(&out);
    buf_free(&patch);
    buf_free(&numstat);
}

#endif
