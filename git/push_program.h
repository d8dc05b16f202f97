/*
 * `git push <url> <refspec>` by the git program, for a checkout that needs it (push_need.h). Only in a
 * worker that leads a process group of its own: git, its transport and its hooks are in that group,
 * and all of it is killed when nobody reads the worker's output any more. SIGTERM to the group ends
 * git, and then the worker with what git said. Changes the environment of the process.
 *
 * The credentials are in no argv, no file and no environment: git and git-lfs get them from a
 * credential helper, one line of shell that reads them from this process's memory (a memfd), for the
 * remote's host alone.
 */
#ifndef GIT_PUSH_PROGRAM_H
#define GIT_PUSH_PROGRAM_H

#include "common/err.h"
#include "git/access.h"
#include "git/push.h"

#include <stdbool.h>

/* As push_reference(), but that `refspec` is git's business and `outcome->commit` stays empty. Of the
 * limits only `total_ms` counts: a hook may be silent for long. */
int push_by_program(const struct git_access *access, const char *path, const char *refspec,
                    bool force, struct push_outcome *outcome, struct err *err);

#endif
