/*
 * PID 1's side of the assembly of several repositories' `.opencode` (assembly_worker.h): starts the worker,
 * turns what it overrode into boot warnings. Embedded; stays in place until assembly_close() and the
 * loop have run.
 */
#ifndef SUPERVISOR_STAGING_ASSEMBLY_H
#define SUPERVISOR_STAGING_ASSEMBLY_H

#include "supervisor/config/config.h"
#include "supervisor/process/worker.h"

#define ASSEMBLY_LIMIT_MS (60 * 1000) /* a few files; a file system that takes longer hangs */

struct assembly_listener {
    /* A file of one repository lost against another's (S-276); `winner` is the latter. */
    void (*on_override)(void *user, const char *message, const struct repository *winner);
    void (*on_done)(void *user, const struct err *err); /* NULL: it went well */
    void *user;
};

struct assembly_run {
    struct worker worker;
    const struct config *config;
    struct log *log;
    struct assembly_listener listener;
};

void assembly_init(struct assembly_run *run, uv_loop_t *loop, struct reaper *reaper,
                   struct log *log, const struct config *config, struct assembly_listener listener);
void assembly_close(struct assembly_run *run);

void assembly_start(struct assembly_run *run, uint64_t limit_ms);
void assembly_kill(struct assembly_run *run);

#endif
