/*
 * Our block in a checkout's .git/info/exclude (S-247..S-253), so that files staged for OpenCode never
 * show up in the user's commits. git_exclude_edit() is pure.
 */
#ifndef SUPERVISOR_STAGING_GIT_EXCLUDE_H
#define SUPERVISOR_STAGING_GIT_EXCLUDE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Says whether a pattern of the block stays. */
typedef bool git_exclude_keep_fn(void *user, const char *pattern);

/* Appends `text` to `out` with our block holding `patterns` and those it held before and that `keep`
 * (NULL: all) wants. A block with nothing in it is left out (S-250). */
void git_exclude_edit(const char *text, const char *const *patterns, size_t count,
                      git_exclude_keep_fn *keep, void *user, struct buf *out);

/* Only for use in a worker. ERR_NOT_FOUND when it is no checkout; one whose .git is a file (worktree,
 * submodule) is one (S-248). */
int git_exclude_add(const char *checkout, const char *const *patterns, size_t count,
                    struct err *err);

/* Takes out of the block what `keep` does not want. Nothing is written when there is no block, or no
 * checkout. */
int git_exclude_filter(const char *checkout, git_exclude_keep_fn *keep, void *user,
                       struct err *err);

#endif
