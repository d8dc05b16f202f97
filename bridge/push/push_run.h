/*
 * Pushes, each in a worker process of its own (push_worker.h), in the background: a prompt that
 * waits for its pull request goes on, and so do commands (D-17). One at a time for each checkout,
 * the others wait. Every push ends with exactly one push_complete or push_error, also when the bridge
 * dies meanwhile: the journal knows of it from before it begins, and the next bridge answers it, under
 * the ackId that this one would have used. It cannot push again or ask the remote, for credentials are
 * never written down.
 *
 * Everything in the options must outlive the runs. All calls come from the loop's thread.
 */
#ifndef BRIDGE_PUSH_PUSH_RUN_H
#define BRIDGE_PUSH_PUSH_RUN_H

#include "bridge/journal/journal.h"
#include "common/log.h"

#include <cJSON.h>
#include <stdint.h>
#include <uv.h>

#define PUSH_RUNS_MAX 16

struct push_runs;

struct push_runs_options {
    uv_loop_t *loop;
    struct journal *journal;
    struct log *log;
    const char *manifest_path;
    const char *workspace;
    uint64_t limit_ms;        /* current contract (B-814) */
    uint64_t legacy_limit_ms; /* older contract */
    uint64_t kill_ms;         /* from SIGTERM to SIGKILL */
    void *user;
    void (*on_event)(void *user, cJSON *event); /* for the outbox; the callee deletes it */
};

/* NULL when out of memory. */
struct push_runs *push_runs_new(const struct push_runs_options *options);

/* Answers what an earlier bridge left unanswered. */
void push_runs_resume(struct push_runs *runs);

/* A push command. */
void push_runs_start(struct push_runs *runs, const cJSON *command);

/* Answers a push command with this error, without trying. */
void push_runs_refuse(struct push_runs *runs, const cJSON *command, const char *error,
                      const char *reason);

/* The process ends: kills what runs and answers it, and refuses what comes. */
void push_runs_wind_down(struct push_runs *runs);

/* Kills what runs and frees itself once the loop has closed its handles; no event follows. */
void push_runs_close(struct push_runs *runs);

#endif
