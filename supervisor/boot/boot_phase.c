#include "supervisor/boot/boot_phase.h"

#include "common/cleanup.h"

static const char *const names[BOOT_STEP_COUNT] = {
    [BOOT_STEP_SYNC] = "sync",     [BOOT_STEP_SETUP] = "setup",     [BOOT_STEP_START] = "start",
    [BOOT_STEP_SKILLS] = "skills", [BOOT_STEP_WARM_UP] = "harness",
};

static const char *const status_names[] = {
    [BOOT_PHASE_STARTED] = "started",
    [BOOT_PHASE_COMPLETED] = "completed",
    [BOOT_PHASE_FAILED] = "failed",
};
_Static_assert(ARRAY_LENGTH(status_names) == BOOT_PHASE_FAILED + 1, "every status has a name");

const char *boot_phase_name(enum boot_step step)
{
    return names[step];
}

const char *boot_phase_status_name(enum boot_phase_status status)
{
    return status_names[status];
}
