#include "supervisor/opencode/recycling.h"

bool recycling_is_due(uint64_t rss_kib, uint64_t limit_kib, uint64_t idle_ms, uint64_t age_ms)
{
    return limit_kib > 0 && rss_kib > limit_kib && idle_ms >= RECYCLING_IDLE_MS &&
           age_ms >= RECYCLING_AGE_MS;
}
