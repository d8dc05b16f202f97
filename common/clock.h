/*
 * The two clocks. Durations and deadlines use the monotonic one, in milliseconds; what is told to
 * others uses the wall clock. Pure code gets both as arguments and never calls this.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ms(void);
uint64_t clock_wall_ms(void); /* since the epoch */

#endif
