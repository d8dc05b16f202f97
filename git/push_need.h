/*
 * Whether a push of this checkout needs the git program, for libgit2 cannot do all that git's own push
 * does: it runs no pre-push hook (so git-lfs uploads nothing), pushes no submodules, does not look at
 * push.followTags and push.pushOption, and opens no repository with an extension that it does not know
 * (SHA-256, partial clone, reftable).
 */
#ifndef GIT_PUSH_NEED_H
#define GIT_PUSH_NEED_H

#include "common/buf.h"

#include <stdbool.h>

/* True, with a few words on what it is needed for in `why`. False also for what is no checkout. */
bool push_needs_program(const char *path, struct buf *why);

#endif
