/*
 * What a session changed in a checkout: the difference between one commit and the files as they are
 * now, committed, staged, unstaged and untracked together (B-1013), with the counts and patches that
 * `git diff --find-renames --full-index --unified=1000000 <commit>` prints. Nothing is written, not
 * even the index's cached file times.
 *
 * libgit2 only finds out which files differ and compares their lines; what else makes the result
 * equal to git's is ours: how index and files are put together, which file counts as renamed, what
 * is binary, and the patch's text. Where it is not equal to git's on purpose or because libgit2
 * lacks it stands in docs/session-diff.md.
 *
 * A struct diff owns everything it hands out, until diff_close(). Only workers call this: it reads
 * whole files. Memory: the list of changes, bounded by `listing_max`; two contents of at most
 * DIFF_CONTENT_MAX bytes and what their comparison needs; the caller's patch.
 */
#ifndef GIT_DIFF_H
#define GIT_DIFF_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A larger file counts as binary, as in git one over core.bigFileThreshold does; so do two versions
 * with more lines than this together. */
#define DIFF_CONTENT_MAX ((size_t)32 * 1024 * 1024)
#define DIFF_LINES_MAX 1000000

#define DIFF_SHA_SIZE 41
#define DIFF_MODE_SUBMODULE 0160000u

enum diff_status {
    DIFF_ADDED,
    DIFF_MODIFIED,
    DIFF_DELETED,
    DIFF_RENAMED,
    DIFF_TYPE_CHANGED,
    DIFF_STATUS_COUNT
};

/* Paths are bytes, relative to the checkout. */
struct diff_change {
    enum diff_status status;
    const char *path;
    const char *old_path; /* what it was called; NULL unless renamed */
    unsigned old_mode;    /* 0100644, ...; 0 when there is no such side, or untracked */
    unsigned new_mode;
    bool untracked; /* the index does not have it */
    bool unmerged;  /* a merge left it in conflict */
    bool overlaid;  /* deleted in the index, yet there as an untracked file (`git rm --cached`) */
    char old_submodule[DIFF_SHA_SIZE]; /* the submodule's commit; "" when that side is none */
    char new_submodule[DIFF_SHA_SIZE];
};

struct diff_options {
    const char *path; /* the checkout */
    const char *base; /* a commit, 40 hex digits */
    /* Bytes that git would print to list the changed files, and for the untracked ones; more is an
     * ERR_LIMIT. */
    size_t listing_max;
    uint32_t step_ms; /* for listing, and for each file; more is an ERR_TIMEOUT */
};

struct diff_counts {
    size_t additions;
    size_t deletions;
    bool binary;    /* the two above then mean nothing */
    bool has_hunks; /* the patch is more than its head */
};

struct diff;

/* ERR_NOT_FOUND: no checkout, no such commit, or HEAD has none. */
int diff_open(const struct diff_options *options, struct diff **diff, struct err *err);
void diff_close(struct diff *diff);

/* HEAD's commit. */
const char *diff_head(const struct diff *diff);

/* Changes of tracked files first, then untracked files, each in git's order. The runtime's own files
 * (diff_exclusions.h) are left out of the latter. */
size_t diff_count(const struct diff *diff);

/* Its strings stay until diff_close(), itself until the next call. */
const struct diff_change *diff_at(struct diff *diff, size_t index);

/* Counts the lines and appends the patch. A patch that does not fit poisons `patch`; the counts are
 * right all the same. A file that cannot be read counts as empty. For an overlaid change: the lines of
 * the deletion and of the untracked file, and no patch. */
int diff_render(struct diff *diff, size_t index, struct diff_counts *counts, struct buf *patch,
                struct err *err);

static inline void cleanup_diff(struct diff **diff)
{
    diff_close(*diff);
}

#define AUTO_DIFF __attribute__((cleanup(cleanup_diff)))

#endif
