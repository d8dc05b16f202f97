/*
 * Which sandbox a checkout was last brought up to date in: its id, no secret, in .git/oi-session. A
 * boot that finds its own id is a re-entry of the same sandbox (an OpenComputer wake starts us again
 * in the same environment, S-90), so what is changed in the work tree is the session's. Another's id,
 * or none, is what an image has. For the git-sync worker only.
 */
#ifndef SUPERVISOR_GIT_SYNC_SANDBOX_MARK_H
#define SUPERVISOR_GIT_SYNC_SANDBOX_MARK_H

#include "common/err.h"

#include <stdbool.h>

/* The checkout at `path` bears this id; no checkout or no mark bears none. */
bool sandbox_mark_is(const char *path, const char *sandbox_id);

int sandbox_mark_write(const char *path, const char *sandbox_id, struct err *err);

#endif
