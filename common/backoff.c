#include "common/backoff.h"

uint64_t backoff_next(struct backoff *backoff, uint32_t random)
{
    uint64_t wait = backoff->first_ms;
    uint64_t spread;

    for (unsigned i = 0; i < backoff->attempts && wait < backoff->most_ms; i++)
        wait *= 2;
    if (wait > backoff->most_ms)
        wait = backoff->most_ms;
    backoff->attempts++;

    spread = wait * backoff->jitter_percent / 100;
    /* (random / 2^32) of the way from -spread to +spread */
    wait = wait - spread + (uint64_t)(((unsigned __int128)random * (2 * spread + 1)) >> 32);
    return wait > backoff->most_ms ? backoff->most_ms : wait;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempts = 0;
}
