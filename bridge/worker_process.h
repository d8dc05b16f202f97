/*
 * One worker (common/worker.h) as a child process of the bridge: this program again, fed its input
 * on stdin, its result line read, ended when its time is over - its whole process group, SIGTERM
 * first. Frees itself after on_done, or by worker_process_close() or worker_process_leave().
 */
#ifndef BRIDGE_WORKER_PROCESS_H
#define BRIDGE_WORKER_PROCESS_H

#include "common/err.h"
#include "common/log.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct worker_process;

struct worker_process_options {
    uv_loop_t *loop;
    struct log *log;
    const char *name;       /* "push": as in --worker; static text */
    uint64_t limit_ms;      /* then SIGTERM */
    uint64_t kill_ms;       /* after that SIGKILL */
    const char *kill_event; /* logged with it; static text or NULL */
    int bulk_fd;            /* becomes its WORKER_BULK_FD and stays the caller's; 0: none */
};

struct worker_process_end {
    const cJSON *result; /* its last line; NULL when it gave none */
    bool killed;         /* by its limit */
    uint64_t lasted_ms;
    char text[ERR_TEXT_MAX]; /* without a result and a limit: how it ended */
};

/* Called once, when the worker is gone and reaped. `end` lives during the call. */
typedef void worker_process_done_fn(void *user, const struct worker_process_end *end);

/* `input` is printed, not kept; its text is wiped. NULL and `err` when it could not be started. */
struct worker_process *worker_process_start(const struct worker_process_options *options,
                                            const cJSON *input, worker_process_done_fn *on_done,
                                            void *user, struct err *err);

/* Kills it now, so that on_done comes soon. */
void worker_process_kill(struct worker_process *process);

/* Kills it; on_done is not called. NULL is fine. */
void worker_process_close(struct worker_process *process);

/* Lets it end by itself; on_done is not called. NULL is fine. */
void worker_process_leave(struct worker_process *process);

#endif
