/*
 * The OpenCode service: starts `opencode serve`, knows when it answers, asks again every 15 s and
 * has it restarted when it dies or falls silent (S-307..S-317, S-331, S-348). Embedded; stays in
 * place until opencode_close() and the loop have run. `config` must outlive it.
 */
#ifndef SUPERVISOR_OPENCODE_OPENCODE_H
#define SUPERVISOR_OPENCODE_OPENCODE_H

#include "supervisor/config/config.h"
#include "supervisor/opencode/health_probe.h"
#include "supervisor/opencode/port_wait.h"
#include "supervisor/process/worker.h"
#include "supervisor/service/service.h"

#define OPENCODE_LAST_LINE_MAX 256
#define OPENCODE_START_LIMIT_MS (30 * 1000) /* S-165 */

struct opencode_listener {
    void (*on_ready)(void *user);
    void (*on_down)(void *user);
    void (*on_failed)(void *user, const struct err *err);
    void (*on_stopped)(void *user);
    void *user;
};

struct opencode {
    struct service service;
    const struct config *config;
    struct log *log;
    struct opencode_listener listener;
    struct health_probe probe;
    struct worker read_ahead;
    uv_timer_t next_probe;
    struct port_wait port_wait;
    uint64_t started_ms;
    uint64_t last_prompt_ms;                /* when one ended last */
    unsigned misses;                        /* liveness probes in a row that were not answered */
    char last_line[OPENCODE_LAST_LINE_MAX]; /* of its output while it starts: why it did not */
    bool ready;
    bool prompt_running; /* liveness is not looked at meanwhile (S-348) */
};

int opencode_init(struct opencode *opencode, uv_loop_t *loop, struct reaper *reaper,
                  struct log *log, const struct config *config, struct opencode_listener listener,
                  struct err *err);
void opencode_close(struct opencode *opencode);

/* Liveness is not looked at while a prompt runs: a busy OpenCode may answer late (S-348). */
void opencode_set_prompt_running(struct opencode *opencode, bool running);

/* Has its program read from the disk, so that its start need not wait for that. */
void opencode_read_ahead(struct opencode *opencode);

/* Before anybody waits for it: a failure is only logged, and opencode_start() tries again. */
void opencode_start_early(struct opencode *opencode);

/* From now on it is needed: a failure of this start, or more than 30 s, is fatal (S-127). */
void opencode_start(struct opencode *opencode);
void opencode_stop(struct opencode *opencode, uint64_t grace_ms);
void opencode_kill(struct opencode *opencode);

#endif
