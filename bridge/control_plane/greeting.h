/*
 * What the bridge says first on every connection: `ready` (B-403), then the boot warnings that the
 * supervisor left in a file (B-1105). Events are the caller's to delete or to push.
 */
#ifndef BRIDGE_CONTROL_PLANE_GREETING_H
#define BRIDGE_CONTROL_PLANE_GREETING_H

#include "bridge/manifest.h"
#include "common/err.h"

#include <cJSON.h>

#define BOOT_WARNINGS_PATH "/tmp/oi-boot-warnings.jsonl"

/* Pure. `opencode_session_id` may be NULL: then it is null on the wire; a NULL or empty
 * `runtime_version` is left out. */
cJSON *greeting_ready_event(const char *opencode_session_id, const char *runtime_version,
                            const struct manifest *manifest);

/* Pure. One warning event from a line of the file or of the channel; NULL when it has no message.
 * Only the four known members are copied, and an unknown scope becomes "setup" (D-38). */
cJSON *greeting_warning_event(const cJSON *warning);

/* Reads and deletes the file and returns an array of events, empty when there is none. NULL and
 * `err` when it cannot be read. */
cJSON *greeting_take_warnings(const char *path, struct err *err);

#endif
