#include "bridge/control_plane/back_pressure.h"

/* What memory this may cost; enough that no reader ever waits for us. */
#define HIGH_BYTES ((size_t)1024 * 1024)
#define HIGH_EVENTS ((size_t)2000)

/* Of the outbox's bounds, if those are low: what comes in anyhow needs room. */
#define HIGH_SHARE 2
#define LOW_SHARE 4

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void back_pressure_init(struct back_pressure *self, size_t max_events, size_t max_bytes,
                        uint64_t patience_ms)
{
    *self = (struct back_pressure){
        .high_events = smaller(HIGH_EVENTS, max_events / HIGH_SHARE),
        .high_bytes = smaller(HIGH_BYTES, max_bytes / HIGH_SHARE),
        .patience_ms = patience_ms,
    };
}

static bool is_gone(const struct back_pressure *self, const struct outbox_counts *counts)
{
    return counts->waiting_events <= self->high_events / LOW_SHARE &&
           counts->waiting_bytes <= self->high_bytes / LOW_SHARE;
}

static bool is_high(const struct back_pressure *self, const struct outbox_counts *counts)
{
    return counts->waiting_events > self->high_events || counts->waiting_bytes > self->high_bytes;
}

bool back_pressure_update(struct back_pressure *self, const struct outbox_counts *counts,
                          bool is_connected, uint64_t now_ms)
{
    bool was_on = self->is_on;

    if (was_on)
        self->spent_ms += now_ms - self->counted_until_ms;
    self->counted_until_ms = now_ms;
    if (is_gone(self, counts)) {
        self->is_on = false;
        self->spent_ms = 0;
    } else if (!is_connected || self->spent_ms >= self->patience_ms) {
        self->is_on = false;
    } else if (is_high(self, counts)) {
        self->is_on = true;
    }
    return self->is_on != was_on;
}

uint64_t back_pressure_left_ms(const struct back_pressure *self)
{
    return self->spent_ms < self->patience_ms ? self->patience_ms - self->spent_ms : 0;
}
