/*
 * What every event for the control plane gets before it is queued (bridge.md 4.1, 4.3): sandboxId,
 * timestamp, the ackId of critical ones, and a size that the control plane accepts (D-40). Pure:
 * clock and randomness are arguments.
 */
#ifndef BRIDGE_CONTROL_PLANE_EVENT_ENVELOPE_H
#define BRIDGE_CONTROL_PLANE_EVENT_ENVELOPE_H

#include "common/buf.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The control plane stores 2,199,936 bytes and closes above 32 MiB; this leaves room for what it
 * adds (control-plane.md 0.8). */
#define EVENT_MAX_BYTES ((size_t)900 * 1024)
#define EVENT_CUT_MARK "\n[cut here by the sandbox: too long]"

/* Acknowledged by the control plane and kept until then (B-430). snapshot_ready is not: it is never
 * acknowledged (D-21). */
bool event_is_critical(const cJSON *event);

/* Stamps `event`. A timestamp or an ackId that is there already stays (B-401, B-430). `random`
 * becomes the ackId of an event without messageId. */
void event_stamp(cJSON *event, const char *sandbox_id, uint64_t wall_ms, uint64_t random);

/* Appends the event's JSON to `out`. While it does not fit `out->max`, the longest texts are cut,
 * visibly. Returns -1 when out of memory or when nothing is left to cut. */
int event_print(cJSON *event, struct buf *out);

#endif
