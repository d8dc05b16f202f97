/*
 * Brings OpenCode's instance of the work directory up before the first prompt, without a model: the
 * first prompt then begins to answer as quickly as the second (contract/opencode.md section 2). What
 * takes the time is what any prompt does before its model is asked; so a prompt is sent to a provider
 * that refuses the connection, and its session is removed again.
 *
 * The requests are made by a worker, since PID 1 parses nothing that comes from a socket. Embedded;
 * stays in place until warm_up_close() and the loop have run. `config` must outlive it.
 */
#ifndef SUPERVISOR_OPENCODE_WARM_UP_H
#define SUPERVISOR_OPENCODE_WARM_UP_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

/* In OpenCode's configuration: nobody listens on the discard port, so the connection is refused. */
#define WARM_UP_PROVIDER "oi-warm-up"
#define WARM_UP_MODEL "none"
#define WARM_UP_BASE_URL "http://127.0.0.1:9/v1"

/* It takes 1.3 s on an idle machine, and a user waits for it. */
#define WARM_UP_LIMIT_MS (6 * 1000)

#define WARM_UP_WORKER "opencode-warm-up"

struct warm_up {
    const struct config *config;
    struct log *log;
    struct worker worker;
    uint64_t started_ms;
    void (*on_done)(void *user);
    void *user;
};

void warm_up_init(struct warm_up *warm_up, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                  const struct config *config, void (*on_done)(void *user), void *user);
void warm_up_close(struct warm_up *warm_up);

/* `directory` is what clients will name. on_done is called once, perhaps before this returns, within
 * some seconds; a failure is only logged. */
void warm_up_start(struct warm_up *warm_up, const char *directory, uint64_t limit_ms);
void warm_up_kill(struct warm_up *warm_up);

/* The worker's main (--worker opencode-warm-up); returns its exit status. */
int warm_up_worker_main(void);

#endif
