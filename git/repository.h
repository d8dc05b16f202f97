/*
 * Questions and small changes to a checkout that is there. Everything goes by path: each call opens
 * and closes the repository. Nothing here talks to a remote.
 */
#ifndef GIT_REPOSITORY_H
#define GIT_REPOSITORY_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

#define REPOSITORY_SHA_SIZE 65 /* room for SHA-256's 64 hex digits and the NUL */

/* HEAD's commit; ERR_NOT_FOUND when there is none yet (S-193). */
int repository_head(const char *path, char sha[REPOSITORY_SHA_SIZE], struct err *err);

/* `git rev-parse --git-path <name>`: where this file of .git lies, also when .git is a file that leads
 * there (worktree, submodule). The file need not be there; ERR_NOT_FOUND when `path` is no checkout. */
int repository_git_path(const char *path, const char *name, struct buf *out, struct err *err);

/* `git remote set-url origin <url>` (S-190); a push URL with a user or a token in it goes, so that the
 * agent pushes there, too (S-461). A checkout without origin is an error, as for git. */
int repository_set_origin(const char *path, const char *url, struct err *err);

/* user.name and user.email in .git/config (S-214). */
int repository_set_identity(const char *path, const char *name, const char *email, struct err *err);

/* Commits that no branch of origin has, on HEAD or on `branch`. What origin/<branch> was before the
 * last fetch, `origin_before` ("" when unknown), is origin's too: a push -f took it away there. */
int repository_has_own_commits(const char *path, const char *branch, const char *origin_before,
                               bool *has, const char **why, struct err *err);

/* Somebody worked here (S-202): HEAD is not on `branch`, something is changed or untracked, or
 * `branch` has commits that refs/remotes/origin/<branch> lacks. `why` then gets a few words. */
int repository_has_session_work(const char *path, const char *branch, bool *has, const char **why,
                                struct err *err);

/* The current branch ("HEAD" when detached) and how many commits origin/<branch> is ahead of it
 * (S-213). ERR_NOT_FOUND when origin has no such branch. */
int repository_count_behind(const char *path, char *branch, size_t branch_size, size_t *behind,
                            struct err *err);

/* git tracks this file of the checkout: then it is the user's. Also true when that cannot be said; a
 * checkout that is none tracks nothing. */
bool repository_tracks(const char *path, const char *file);

/* The top .gitattributes has this text, as "filter=lfs": for what a checkout of ours does not do. */
bool repository_has_attribute(const char *path, const char *attribute);

#endif
