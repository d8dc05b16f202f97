#include "supervisor/shutdown/shutdown_plan.h"

#include "common/cleanup.h"

/* What the kernel may need for a SIGKILL. */
#define KILL_TIME_MS 300

static const uint64_t graces_ms[] = {
    [SHUTDOWN_NOT_BEGUN] = 0,     [SHUTDOWN_BRIDGE] = 5000,  [SHUTDOWN_SERVICES] = 10000,
    [SHUTDOWN_SWEEP_TERM] = 2000, [SHUTDOWN_SWEEP_KILL] = 0, [SHUTDOWN_OVER] = 0,
};
_Static_assert(ARRAY_LENGTH(graces_ms) == SHUTDOWN_PHASE_COUNT, "every phase has a grace");

/* What the phases behind this one need at least: their kills. */
static uint64_t reserve_ms(enum shutdown_phase phase)
{
    return (uint64_t)(SHUTDOWN_OVER - phase) * KILL_TIME_MS;
}

uint64_t shutdown_plan_grace_ms(enum shutdown_phase phase, uint64_t elapsed_ms, bool impatient)
{
    uint64_t used_ms = elapsed_ms + reserve_ms(phase);
    uint64_t left_ms = used_ms < SHUTDOWN_BUDGET_MS ? SHUTDOWN_BUDGET_MS - used_ms : 0;

    if (impatient)
        return 0;
    return graces_ms[phase] < left_ms ? graces_ms[phase] : left_ms;
}

uint64_t shutdown_plan_limit_ms(enum shutdown_phase phase, uint64_t elapsed_ms, bool impatient)
{
    return shutdown_plan_grace_ms(phase, elapsed_ms, impatient) + KILL_TIME_MS;
}
