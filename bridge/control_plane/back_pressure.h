/*
 * Whether OpenCode's event stream is read while much waits for the control plane.
 *
 * A reader that is only behind, as with a burst of tool events or on a busy network, loses nothing:
 * the stream rests until it has caught up, and OpenCode keeps what it says meanwhile. But it must never
 * depend on a control plane for long (D-12), for OpenCode's own queue has no bound. So the rests of one
 * backlog are short, all together; after them the stream is read whatever waits, the outbox drops what
 * it has no room for (B-445), and only when the backlog is gone there is patience again. Without a
 * connection there is none: nobody reads.
 *
 * Pure: times are arguments, monotonic milliseconds. The struct lives in its owner.
 */
#ifndef BRIDGE_CONTROL_PLANE_BACK_PRESSURE_H
#define BRIDGE_CONTROL_PLANE_BACK_PRESSURE_H

#include "bridge/control_plane/outbox.h"

struct back_pressure {
    size_t high_events; /* more than one of these: it rests, until a quarter of both is left */
    size_t high_bytes;
    uint64_t patience_ms;
    bool is_on;                /* the stream rests */
    uint64_t counted_until_ms; /* while it does */
    uint64_t spent_ms;         /* of the patience with this backlog */
};

/* Marks that are well below the outbox's bounds. `patience_ms` 0: never. */
void back_pressure_init(struct back_pressure *self, size_t max_events, size_t max_bytes,
                        uint64_t patience_ms);

/* After each change of what waits or of the connection, and when the patience is over. Returns true
 * when `is_on` changed. */
bool back_pressure_update(struct back_pressure *self, const struct outbox_counts *counts,
                          bool is_connected, uint64_t now_ms);

/* How much is left of the patience. */
uint64_t back_pressure_left_ms(const struct back_pressure *self);

#endif
