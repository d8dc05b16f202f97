/*
 * Putting files of a commit into the work tree.
 */
#ifndef GIT_CHECKOUT_H
#define GIT_CHECKOUT_H

#include "common/err.h"
#include "git/access.h"

/* `git checkout -B <branch> origin/<branch>` (S-192): not a hard reset. Local changes that do not
 * conflict survive; a conflict is an ERR_PROTOCOL that names files, and nothing was changed (S-196).
 * `access` serves only for its progress function. */
int checkout_branch(const struct git_access *access, const char *path, const char *branch,
                    struct err *err);

struct remote;

/* For git/ only: the first checkout of a clone, into a directory with nothing but .git. */
int checkout_first(struct remote *remote, const char *branch, struct err *err);

#endif
