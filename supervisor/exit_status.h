/*
 * How a sandbox can end, and the exit status its parent then sees (table 2.6 of the contract). Pure and
 * constant. A supervisor that is itself killed has no say in it (S-155).
 */
#ifndef SUPERVISOR_EXIT_STATUS_H
#define SUPERVISOR_EXIT_STATUS_H

enum sandbox_end {
    SANDBOX_END_SIGNAL,             /* SIGTERM or SIGINT, at whatever time */
    SANDBOX_END_SESSION_OVER,       /* the bridge exited with 0 */
    SANDBOX_END_FATAL,              /* in the boot or later */
    SANDBOX_END_RESTARTS_EXHAUSTED, /* OpenCode or the bridge died too often */
    SANDBOX_END_CONFIG_UNUSABLE,    /* half a build callback is one of the ways (S-152) */
    SANDBOX_END_USAGE,              /* the command line */
    SANDBOX_END_BUILD_FAILED,
    SANDBOX_END_TOKEN_REFUSED, /* that of a Modal build, or what comes with it */
    SANDBOX_END_COUNT
};

int exit_status_of(enum sandbox_end end);

#endif
