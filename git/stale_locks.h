/*
 * Lock files of a git that was killed (index.lock, refs/heads/main.lock, ...): they make every later git
 * fail. Only for a checkout that nobody works in, for nothing tells a dead git's lock from a living one's.
 */
#ifndef GIT_STALE_LOCKS_H
#define GIT_STALE_LOCKS_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>

/* With `remove` they are removed. `found` gets their names below .git, as many as there is room for; ""
 * when there are none. */
int stale_locks_find(const char *path, bool remove, struct buf *found, struct err *err);

#endif
