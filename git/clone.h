/*
 * `git clone --depth 100 --branch <branch> --no-tags <url> <path>` (S-189). The work happens in a
 * neighbour `.<name>.oi-clone` that is renamed to `path` when everything is there, so that a clone
 * that was killed never looks like a checkout (S-203); what an earlier one left is removed first.
 * An empty directory at `path` is replaced.
 */
#ifndef GIT_CLONE_H
#define GIT_CLONE_H

#include "common/err.h"
#include "git/access.h"
#include "git/fetch.h"

int clone_repository(const struct git_access *access, const char *path,
                     struct branch_choice *branch, struct err *err);

#endif
