/*
 * Exponential back-off with jitter. Pure: randomness is an argument. Times in milliseconds.
 */
#ifndef COMMON_BACKOFF_H
#define COMMON_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint64_t first_ms;       /* the wait of the first attempt, before jitter */
    uint64_t most_ms;        /* waits never pass this, jitter included */
    unsigned jitter_percent; /* 20: anything from -20 % to +20 % */
    unsigned attempts;       /* failed attempts since the last reset */
};

/* Counts a failed attempt and returns how long to wait before the next. `random` is any 32 random
 * bits. */
uint64_t backoff_next(struct backoff *backoff, uint32_t random);

/* The attempts were worth it: start again from first_ms. */
void backoff_reset(struct backoff *backoff);

#endif
