/*
 * When to ask OpenCode for its health (S-312, S-348). Pure; milliseconds.
 */
#ifndef SUPERVISOR_OPENCODE_PROBE_SCHEDULE_H
#define SUPERVISOR_OPENCODE_PROBE_SCHEDULE_H

#include <stdint.h>

#define PROBE_LIVENESS_EVERY_MS (15 * 1000)
#define PROBE_LIVENESS_LIMIT_MS (5 * 1000)
#define PROBE_LIVENESS_MISSES 4

/* From now to the next probe of an OpenCode that was started `elapsed_ms` ago. */
uint64_t probe_schedule_wait_ms(uint64_t elapsed_ms);

/* How long that probe may take. Short, because a request that came too early is never answered;
 * longer the longer it takes, because a machine may be slow. */
uint64_t probe_schedule_limit_ms(uint64_t elapsed_ms);

#endif
