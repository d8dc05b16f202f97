/*
 * One push worker (push_worker.h) as a child process: started, fed its input on stdin, its result
 * line read, ended when its time is over - its whole process group, SIGTERM first (D-27). Frees
 * itself after on_done, or by push_worker_process_close().
 */
#ifndef BRIDGE_PUSH_PUSH_WORKER_PROCESS_H
#define BRIDGE_PUSH_PUSH_WORKER_PROCESS_H

#include "common/err.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct push_worker_process;

struct push_worker_input {
    uv_loop_t *loop;
    struct log *log;
    const char *path;
    const char *remote_url;
    const char *refspec;
    bool force;
    uint64_t limit_ms;
    uint64_t kill_ms;
};

struct push_result {
    bool ok;
    bool timed_out;
    uint64_t limit_ms;   /* the limit that was reached */
    const char *error;   /* what the remote or the worker said; never NULL */
    const char *git_for; /* what the git program was needed for; NULL: it was not */
};

/* Called once, when the worker is gone and reaped. `result` lives during the call. */
typedef void push_worker_done_fn(void *user, const struct push_result *result);

/* Copies what it is given. NULL and `err` when it could not be started. */
struct push_worker_process *push_worker_process_start(const struct push_worker_input *input,
                                                      push_worker_done_fn *on_done, void *user,
                                                      struct err *err);

/* Kills it; on_done is not called. NULL is fine. */
void push_worker_process_close(struct push_worker_process *process);

#endif
