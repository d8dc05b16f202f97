#include "git/progress.h"

#include "common/cleanup.h"

static const char *const phase_names[] = {
    [GIT_PHASE_CONNECTING] = "connecting", [GIT_PHASE_RECEIVING] = "receiving",
    [GIT_PHASE_RESOLVING] = "resolving",   [GIT_PHASE_CHECKOUT] = "checkout",
    [GIT_PHASE_PACKING] = "packing",       [GIT_PHASE_SENDING] = "sending",
};
_Static_assert(ARRAY_LENGTH(phase_names) == GIT_PHASE_COUNT, "every phase has a name");

const char *git_phase_name(enum git_phase phase)
{
    return phase_names[phase];
}

static bool is_end(const struct git_progress *progress)
{
    return progress->total && progress->done >= progress->total;
}

bool progress_passes(struct progress_throttle *throttle, const struct git_progress *progress,
                     uint64_t now_ms)
{
    bool same_phase = throttle->started && throttle->phase == progress->phase;

    if (same_phase) {
        /* libgit2 repeats the last report; once is enough. */
        if (throttle->finished)
            return false;
        if (!is_end(progress) && now_ms < throttle->reported_ms + PROGRESS_INTERVAL_MS)
            return false;
    }
    throttle->started = true;
    throttle->finished = is_end(progress);
    throttle->phase = progress->phase;
    throttle->reported_ms = now_ms;
    return true;
}

unsigned progress_percent(const struct git_progress *progress)
{
    if (!progress->total)
        return 0;
    if (progress->done >= progress->total)
        return 100;
    return (unsigned)(progress->done * 100 / progress->total);
}
