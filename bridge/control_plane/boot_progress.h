/*
 * The event `boot_progress` (N-34): what a user sees of a boot while the bridge is connected and
 * prompts are not taken yet. Pure; events are the caller's to delete or to push.
 */
#ifndef BRIDGE_CONTROL_PLANE_BOOT_PROGRESS_H
#define BRIDGE_CONTROL_PLANE_BOOT_PROGRESS_H

#include <cJSON.h>

/* From a `boot` line of the supervisor's channel; NULL when its phase or status is none that the
 * control plane knows. */
cJSON *boot_progress_event(const cJSON *line);

#endif
