/*
 * The parent's side of a worker: this program re-executed as `--worker <name>` (architecture,
 * principle 1; common/worker.h is the child's side). It gets one JSON object on stdin, so that no
 * secret stands in argv, and answers in JSON lines. What is no JSON on its output is logged.
 *
 * Embedded; stays in place until worker_close() and the loop have run. May be started again once it
 * is done. A worker has nothing to lose: it is killed without notice.
 */
#ifndef SUPERVISOR_PROCESS_WORKER_H
#define SUPERVISOR_PROCESS_WORKER_H

#include "supervisor/process/process.h"

#include <cJSON.h>

struct worker_listener {
    /* Every line but the result; `line` is the caller's. May be NULL. */
    void (*on_line)(void *user, const cJSON *line);
    /* Once. `result` is the line of type "result"; NULL and `err` when the worker died, passed its limit
     * or was killed by us, which is ERR_CANCELLED and no failure of anything. */
    void (*on_done)(void *user, const cJSON *result, const struct err *err);
    void *user;
};

struct worker {
    const char *name;
    struct log *log;
    struct worker_listener listener;
    struct process process;
    uv_timer_t limit;
    uint64_t limit_ms;
    bool too_late;
    bool cancelled;
    cJSON *result;
};

void worker_init(struct worker *worker, const char *name, uv_loop_t *loop, struct reaper *reaper,
                 struct log *log, struct worker_listener listener);
void worker_close(struct worker *worker);

int worker_start(struct worker *worker, const cJSON *input, uint64_t limit_ms, struct err *err);

/* A new limit, from now. */
void worker_extend(struct worker *worker, uint64_t limit_ms);
void worker_kill(struct worker *worker);

#endif
