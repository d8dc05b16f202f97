/*
 * No event may be larger than the control plane takes (D-40: 900 KiB). Texts and outputs are cut
 * where they are made (fields.h); this bounds a tool call's args, whose shape is the tool's own.
 * Pure.
 */
#ifndef BRIDGE_TRANSLATE_EVENT_LIMITS_H
#define BRIDGE_TRANSLATE_EVENT_LIMITS_H

#include <cJSON.h>
#include <stddef.h>

/* With an output of FIELD_TEXT_MAX (at most doubled by escapes) an event stays under 1 MiB. */
#define EVENT_ARGS_MAX ((size_t)384 * 1024)
#define EVENT_ARGS_STRING_MAX ((size_t)64 * 1024)

/* Takes `args` and returns args that print to at most EVENT_ARGS_MAX bytes: as they are; or with
 * their long strings cut and marked; or, when that is not enough, {"cut": "..."}. */
cJSON *event_limits_args(cJSON *args);

#endif
