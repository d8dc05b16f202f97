/*
 * The order of git operations that bring one repository up to date (contract sections 3.3 to 3.5).
 * Runs in the git-sync worker only. What happens is told through `emit`; the strings are the
 * caller's and must outlive the call.
 */
#ifndef SUPERVISOR_GIT_SYNC_GIT_SYNC_STEPS_H
#define SUPERVISOR_GIT_SYNC_GIT_SYNC_STEPS_H

#include "common/err.h"
#include "git/access.h"
#include "git/fetch.h"
#include "supervisor/git_sync/sandbox_mark.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* A log line of the contract; `fields` may be NULL and is taken over. */
typedef void git_sync_emit_fn(const char *level, const char *event, cJSON *fields);

struct git_sync_task {
    struct git_access access; /* limits.total_ms is set from the two below */
    const char *path;
    struct branch_choice branch;
    bool keep_session_work;
    bool
        of_image; /* the checkout may come from an image: files that setup.sh changed are no work */
    const char *sandbox_id; /* NULL: leave no mark (sandbox_mark.h) */
    const char *session_id; /* NULL: no baseline is remembered */
    const char *given_base; /* the baseline that the control plane named; NULL: none */
    uint32_t clone_ms, fetch_ms;
    const char *identity_name, *identity_email; /* both or neither */
    git_sync_emit_fn *emit;

    /* Out. */
    const char *operation; /* what ran last: "clone", "set_url", "fetch", "checkout", "update" */
    bool cloned;           /* there was no checkout before */
    bool kept;             /* S-202: only fetched, for there is work of a session */
    char base_sha[SANDBOX_MARK_SHA_SIZE]; /* S-218: where the session began; "" when unknown */
};

int git_sync_steps_current(struct git_sync_task *task, struct err *err);      /* S-188 */
int git_sync_steps_refresh(struct git_sync_task *task, struct err *err);      /* S-195 */
int git_sync_steps_legacy(struct git_sync_task *task, struct err *err);       /* S-212 */
int git_sync_steps_legacy_quick(struct git_sync_task *task, struct err *err); /* S-213 */

/* The log event of the contract for a failure of `operation` (S-486..S-489); NULL: nobody expected it,
 * and the boot mode says what it is called (git_sync_request.h). */
const char *git_sync_steps_failure_event(const char *operation, const struct err *err);

#endif
