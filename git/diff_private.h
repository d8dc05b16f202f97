/*
 * What the files of git/diff* share: the list of changes and the contents of both sides. Nobody else
 * includes this.
 */
#ifndef GIT_DIFF_PRIVATE_H
#define GIT_DIFF_PRIVATE_H

#include "git/auto_git2.h"
#include "git/diff.h"

/* One side of a change. */
struct diff_side {
    unsigned mode; /* 0: absent */
    git_oid id;    /* of the content as git stores it */
    bool has_id;
    bool on_disk; /* the content is the checkout's file; otherwise the object `id` */
};

struct diff_entry {
    char *path;
    char *old_path; /* NULL unless renamed */
    struct diff_side old_side, new_side;
    unsigned score; /* of a rename */
    bool unmerged;
    bool overlaid;
};

struct diff {
    git_repository *repository;
    git_odb *odb;
    git_tree *base;
    const char *workdir; /* with a final slash; the repository's */
    char head[DIFF_SHA_SIZE];
    bool quote_high;  /* core.quotePath */
    bool trust_modes; /* core.fileMode */
    size_t rename_limit;
    size_t listing_max;
    uint32_t step_ms;
    uint64_t deadline_ms; /* of the step under way */

    struct diff_entry *entries; /* tracked */
    size_t count, cap;
    struct buf untracked_text; /* what `git ls-files -z` would print */
    const char **untracked;    /* sorted; points into it */
    size_t untracked_count;
    struct buf excluded;      /* diff_exclusions.h */
    struct diff_change shown; /* what diff_at() answered */
};

/* The time of one step begins. */
void diff_begin_step(struct diff *diff);

/* It is over. */
bool diff_is_too_late(const struct diff *diff);
int diff_set_too_late(struct err *err);

/* diff_listing.c: fills entries and untracked; both sides of each change are known and differ. */
int diff_list(struct diff *diff, struct err *err);

/* diff_rename_step.c: joins deletions and additions. */
int diff_join_renames(struct diff *diff, struct err *err);

/* diff_content.c */

struct diff_content {
    char *data; /* never NULL when loaded, with a NUL behind it */
    size_t len;
    bool too_large; /* no data then */
};

/* The content of a side as git stores it; empty when the side is absent or its file cannot be
 * read. */
int diff_content_load(struct diff *diff, const char *path, const struct diff_side *side,
                      struct diff_content *content, struct err *err);
void diff_content_free(struct diff_content *content);

/* By the attribute "diff" of the path, else by a NUL near the beginning. */
bool diff_content_is_binary(struct diff *diff, const char *path,
                            const struct diff_content *content);

/* The side's mode as the file on disk has it, 0 when there is none. `indexed` is what the index says
 * of it, 0 for an untracked file. */
unsigned diff_mode_on_disk(const struct diff *diff, const char *path, unsigned indexed);

/* Computes `side->id` unless it is known. */
int diff_identify(struct diff *diff, const char *path, struct diff_side *side, struct err *err);

/* The commit that a repository below the checkout is at; false when `path` is none. */
bool diff_submodule_head(const struct diff *diff, const char *path, git_oid *id);

/* A tracked file of it is changed. */
bool diff_submodule_is_dirty(const struct diff *diff, const char *path);

/* diff_patch.c */

struct diff_pair {
    const char *old_path, *new_path;
    const struct diff_side *old_side, *new_side;
    unsigned score; /* of a rename, 0: none */
};

/* The lines of the patch's head; up to "index". */
void diff_print_head(const struct diff *diff, const struct diff_pair *pair, struct buf *patch);

/* "---", "+++" and the one hunk with everything in it; counts what it prints. Prints nothing when the
 * contents are the same. */
int diff_print_hunk(struct diff *diff, const struct diff_pair *pair,
                    const struct diff_content *old_content, const struct diff_content *new_content,
                    struct diff_counts *counts, struct buf *patch, struct err *err);

#endif
