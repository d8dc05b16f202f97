/*
 * A boot as a user sees it: the steps that may last get the names of the newer contract (N-26), and
 * the bridge is told when each begins, ends and fails. Pure.
 */
#ifndef SUPERVISOR_BOOT_BOOT_PHASE_H
#define SUPERVISOR_BOOT_BOOT_PHASE_H

#include "supervisor/boot/boot_plan.h"

/* Most of a failure's text that is told (N-29). */
#define BOOT_PHASE_DETAIL_MAX 1000

enum boot_phase_status { BOOT_PHASE_STARTED, BOOT_PHASE_COMPLETED, BOOT_PHASE_FAILED };

struct boot_phase {
    const char *name; /* "sync", "setup", "start", "harness" */
    enum boot_phase_status status;
    unsigned seq; /* 1, 2, 3, ...; 0: nothing has begun yet */
    uint64_t at_ms;
    uint64_t elapsed_ms; /* of one that ended */
    bool warning;        /* it failed, and the boot goes on */
    /* The only repository; NULL when there are more or none, for they run at the same time. */
    const struct repository *repository;
    const char *detail; /* of one that failed; redacted; or NULL */
};

/* NULL for a step that nobody is told of. OpenCode is "harness" from when it is waited for, which is
 * the warm-up's phase, until prompts may come. */
const char *boot_phase_name(enum boot_step step);

const char *boot_phase_status_name(enum boot_phase_status status);

#endif
