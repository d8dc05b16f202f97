/*
 * Bringing one branch of a remote into a repository.
 */
#ifndef GIT_FETCH_H
#define GIT_FETCH_H

#include "common/err.h"
#include "git/access.h"

#include <stdbool.h>

#define GIT_CLONE_DEPTH 100 /* commits, S-189 */
#define GIT_DEPTH_UNCHANGED 0
#define BRANCH_NAME_MAX 256
#define BRANCH_SHA_SIZE 65 /* room for SHA-256's 64 hex digits and the NUL */

/* Which branch is wanted, and which it turned out to be. */
struct branch_choice {
    const char *wanted;           /* NULL: the remote's HEAD branch (S-212) */
    bool may_fall_back;           /* a remote without `wanted` gives its HEAD branch (S-205) */
    char name[BRANCH_NAME_MAX];   /* out */
    char before[BRANCH_SHA_SIZE]; /* out: what origin/<name> was, "" when it was not there */
    bool fell_back;               /* out */
    bool is_default;              /* out: `name` is the remote's HEAD branch */
};

/* `git fetch origin +<branch>:refs/remotes/origin/<branch>` in the checkout at `path` (S-191). The
 * depth of a shallow repository stays. Work tree, index and HEAD are not touched (S-195). */
int fetch_branch(const struct git_access *access, const char *path, struct branch_choice *branch,
                 struct err *err);

struct remote;

/* For git/ only: the same over a connection that is open, with a depth. Finds out the branch first,
 * so that a missing one is an ERR_NOT_FOUND and costs no transfer. */
int fetch_over(struct remote *remote, struct branch_choice *branch, int depth, struct err *err);

#endif
