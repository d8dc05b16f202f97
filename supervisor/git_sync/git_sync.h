/*
 * Brings all repositories into the workspace at the same time, one worker process each (S-187;
 * git_sync_worker.h says what goes over its pipes). Embedded; stays in place until git_sync_close()
 * and the loop have run, then git_sync_free(). `config` must outlive it.
 */
#ifndef SUPERVISOR_GIT_SYNC_GIT_SYNC_H
#define SUPERVISOR_GIT_SYNC_GIT_SYNC_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

#define GIT_SYNC_SHA_MAX 65
#define GIT_SYNC_BRANCH_MAX 256

struct git_sync_outcome {
    bool success;
    bool timed_out;
    bool kept; /* S-202: a session's work was found in the checkout and left alone */
    char branch[GIT_SYNC_BRANCH_MAX]; /* the one it turned out to be (S-205); "" when unknown */
    char head_sha[GIT_SYNC_SHA_MAX];  /* "" when unknown */
    char base_sha[GIT_SYNC_SHA_MAX];  /* where the session began (S-218); "" when unknown */
};

struct git_sync_listener {
    /* All are through; git_sync_outcome_of() has what became of each. */
    void (*on_done)(void *user);
    void *user;
};

struct git_sync_job;

struct git_sync {
    struct log *log;
    const struct config *config;
    struct git_sync_listener listener;
    struct git_sync_job *jobs; /* one for each repository */
    size_t running;
};

int git_sync_init(struct git_sync *sync, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                  const struct config *config, struct git_sync_listener listener, struct err *err);

/* When there is a repository. on_done may be called before it returns. */
void git_sync_start(struct git_sync *sync);

/* SIGKILL to the workers; a half-made clone never looks like a checkout (S-203). */
void git_sync_kill(struct git_sync *sync);
void git_sync_close(struct git_sync *sync);
void git_sync_free(struct git_sync *sync);

const struct git_sync_outcome *git_sync_outcome_of(const struct git_sync *sync, size_t index);
bool git_sync_all_succeeded(const struct git_sync *sync);

/* "timed out: a/b; failed: c/d, e/f: <why>" (S-199). */
void git_sync_print_failures(const struct git_sync *sync, struct buf *out);

#endif
