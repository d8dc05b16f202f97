/*
 * No event may be larger than the control plane takes (D-40: 900 KiB). Texts and outputs are cut
 * where they are made (fields.h) and are at most 512 KiB as JSON; this bounds the values whose shape
 * is not ours: a tool call's args and a step's usage. Pure.
 */
#ifndef BRIDGE_TRANSLATE_EVENT_LIMITS_H
#define BRIDGE_TRANSLATE_EVENT_LIMITS_H

#include <cJSON.h>
#include <stddef.h>

#define EVENT_ARGS_MAX ((size_t)384 * 1024)
#define EVENT_ARGS_STRING_MAX ((size_t)64 * 1024)

/* Takes `args` and returns args that print to at most EVENT_ARGS_MAX bytes: as they are; or with
 * their long strings cut and marked; or, when that is not enough, {"cut": "..."}. */
cJSON *event_limits_args(cJSON *args);

/* The same for a step's cost, tokens or reason: a number, a short text or an object. */
cJSON *event_limits_usage(cJSON *value);

#endif
