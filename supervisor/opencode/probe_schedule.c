#include "supervisor/opencode/probe_schedule.h"

#include <stddef.h>

#define STEADY_WAIT_MS 100
#define LIMIT_LEAST_MS 150
#define LIMIT_MOST_MS 2000
#define LIMIT_GROWTH 10 /* a tenth of the time waited so far is added */

static const uint64_t first_probes_ms[] = {2, 5, 10, 20, 40, 80};

uint64_t probe_schedule_wait_ms(uint64_t elapsed_ms)
{
    for (size_t i = 0; i < sizeof first_probes_ms / sizeof first_probes_ms[0]; i++) {
        if (elapsed_ms < first_probes_ms[i])
            return first_probes_ms[i] - elapsed_ms;
    }
    return STEADY_WAIT_MS;
}

uint64_t probe_schedule_limit_ms(uint64_t elapsed_ms)
{
    uint64_t limit = LIMIT_LEAST_MS + elapsed_ms / LIMIT_GROWTH;

    return limit < LIMIT_MOST_MS ? limit : LIMIT_MOST_MS;
}
