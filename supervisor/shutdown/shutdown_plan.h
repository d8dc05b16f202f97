/*
 * How long each part of a shutdown may take (S-362..S-365). Pure; milliseconds. The bridge goes first
 * and alone, so that it can send what it holds; then everything else at once; then whatever is left
 * of our descendants. All of it fits one budget, so that a container manager with the usual patience
 * never has to kill us.
 */
#ifndef SUPERVISOR_SHUTDOWN_SHUTDOWN_PLAN_H
#define SUPERVISOR_SHUTDOWN_SHUTDOWN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum shutdown_phase {
    SHUTDOWN_NOT_BEGUN,
    SHUTDOWN_BRIDGE,
    SHUTDOWN_SERVICES,   /* OpenCode; hooks and workers were told at the start */
    SHUTDOWN_SWEEP_TERM, /* SIGTERM to every descendant */
    SHUTDOWN_SWEEP_KILL,
    SHUTDOWN_OVER,
    SHUTDOWN_PHASE_COUNT
};

#define SHUTDOWN_BUDGET_MS (16 * 1000)

/* From SIGTERM to SIGKILL in this phase, when `elapsed_ms` of the budget are used. `impatient`: a
 * second signal came (S-358). */
uint64_t shutdown_plan_grace_ms(enum shutdown_phase phase, uint64_t elapsed_ms, bool impatient);

/* After this long in the phase the next one begins, dead or not. */
uint64_t shutdown_plan_limit_ms(enum shutdown_phase phase, uint64_t elapsed_ms, bool impatient);

#endif
