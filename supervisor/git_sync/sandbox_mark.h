/*
 * What a boot writes down in a checkout, in .git/oi-session, for the next boot on the same disk; no
 * secret:
 *
 * - the sandbox that brought it up to date. A boot that finds its own id is a re-entry of the same
 *   sandbox (an OpenComputer wake starts us again in the same environment, S-90), so what is changed
 *   in the work tree is the session's. Another's id, or none, is what an image has.
 * - the session and its diff baseline. The control plane pins what the first boot told it and refuses
 *   every diff from another commit, so a later boot of the same session must not take HEAD, which the
 *   session or an update has moved meanwhile (S-218, B-1026).
 *
 * A session may write there too: what is read is checked. For the git-sync worker only.
 */
#ifndef SUPERVISOR_GIT_SYNC_SANDBOX_MARK_H
#define SUPERVISOR_GIT_SYNC_SANDBOX_MARK_H

#include "common/err.h"

#include <stdbool.h>

#define SANDBOX_MARK_SHA_SIZE 65

struct sandbox_mark {
    const char *sandbox_id;
    const char *session_id; /* NULL: no baseline is kept */
    const char *base_sha;   /* likewise */
};

/* The checkout at `path` bears this id; no checkout or no mark bears none. */
bool sandbox_mark_is(const char *path, const char *sandbox_id);

/* The baseline that an earlier boot of this session left; false and "" when there is none. */
bool sandbox_mark_base(const char *path, const char *session_id, char sha[SANDBOX_MARK_SHA_SIZE]);

int sandbox_mark_write(const char *path, const struct sandbox_mark *mark, struct err *err);

#endif
