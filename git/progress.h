/*
 * Thins progress reports out: a change of phase and the end of one always pass, everything else a few
 * times a second. Pure: the time is an argument.
 */
#ifndef GIT_PROGRESS_H
#define GIT_PROGRESS_H

#include "git/access.h"

#include <stdbool.h>
#include <stdint.h>

#define PROGRESS_INTERVAL_MS 300

struct progress_throttle {
    bool started;
    bool finished; /* the end of `phase` was reported */
    enum git_phase phase;
    uint64_t reported_ms;
};

bool progress_passes(struct progress_throttle *throttle, const struct git_progress *progress,
                     uint64_t now_ms);

/* 0..100; 0 while the total is unknown. */
unsigned progress_percent(const struct git_progress *progress);

#endif
