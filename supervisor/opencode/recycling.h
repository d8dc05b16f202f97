/*
 * When an OpenCode that has grown is started again: it gives memory back to nobody else, and its
 * sessions are on disk. Only when nobody would notice. Pure; milliseconds and KiB.
 */
#ifndef SUPERVISOR_OPENCODE_RECYCLING_H
#define SUPERVISOR_OPENCODE_RECYCLING_H

#include <stdbool.h>
#include <stdint.h>

/* So long no prompt ran. */
#define RECYCLING_IDLE_MS (30 * 1000)
/* So long it has run: a limit that every OpenCode passes must not restart it without end. */
#define RECYCLING_AGE_MS (10 * 60 * 1000)

/* `limit_kib` 0: never. */
bool recycling_is_due(uint64_t rss_kib, uint64_t limit_kib, uint64_t idle_ms, uint64_t age_ms);

#endif
