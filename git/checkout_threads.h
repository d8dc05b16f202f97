/*
 * The first checkout of a clone, by several threads: most of its time is inflating and creating files,
 * and neither git nor libgit2 does that on more than one processor. Only for a work tree with nothing
 * but .git, and for files that no filter changes (git/checkout_filters.h). Memory: at most
 * CHECKOUT_BYTES_AT_ONCE of file contents, or one file that is larger.
 */
#ifndef GIT_CHECKOUT_THREADS_H
#define GIT_CHECKOUT_THREADS_H

#include <git2.h>
#include <stdbool.h>

#define CHECKOUT_BYTES_AT_ONCE (32u << 20)

struct remote;

/* Writes the files of `commit` and the index. False when it could not, or when the commit has what is
 * not done here: some files may be there then, and libgit2's forced checkout does it all, or says why
 * not. Reports progress to `remote`, in the caller's thread. */
bool checkout_by_threads(struct remote *remote, const git_commit *commit);

#endif
