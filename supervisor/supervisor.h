/*
 * One sandbox from start to end: owns the loop's actors and joins them. Everything it starts has
 * ended when supervisor_run() returns.
 */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include "common/log.h"
#include "supervisor/config/config.h"
#include "supervisor/exit_status.h"
#include "supervisor/log_output.h"

struct supervisor_options {
    struct config *config;
    struct log *log;
    struct log_output *log_output; /* where `log` goes; watched by the loop */
    const char *bridge_command;    /* --bridge-cmd; NULL: our own */
    uint64_t started_ms;           /* when the program was started, on the monotonic clock */
};

enum sandbox_end supervisor_run(const struct supervisor_options *options);

#endif
