#include "bridge/diff/diff_schedule.h"

#include <stdio.h>
#include <string.h>

void diff_schedule_prompt_started(struct diff_schedule *schedule)
{
    schedule->activity++;
    schedule->active++;
}

void diff_schedule_prompt_ended(struct diff_schedule *schedule)
{
    if (schedule->active > 0)
        schedule->active--;
}

void diff_schedule_request(struct diff_schedule *schedule, const char *trigger)
{
    if (schedule->unsupported || schedule->closed)
        return;
    schedule->requested++;
    schedule->trigger[0] = '\0';
    if (trigger && strlen(trigger) <= DIFF_TRIGGER_MAX)
        snprintf(schedule->trigger, sizeof schedule->trigger, "%s", trigger);
}

bool diff_schedule_is_due(const struct diff_schedule *schedule)
{
    return !schedule->capturing && !schedule->closed && !schedule->unsupported &&
           schedule->active == 0 && schedule->settled < schedule->requested;
}

void diff_schedule_begin(struct diff_schedule *schedule)
{
    schedule->capturing = true;
    schedule->noted_requested = schedule->requested;
    schedule->noted_activity = schedule->activity;
    memcpy(schedule->noted_trigger, schedule->trigger, sizeof schedule->noted_trigger);
}

bool diff_schedule_is_stale(const struct diff_schedule *schedule)
{
    return schedule->active > 0 || schedule->requested != schedule->noted_requested ||
           schedule->activity != schedule->noted_activity;
}

void diff_schedule_end(struct diff_schedule *schedule, bool answered)
{
    schedule->capturing = false;
    if (answered)
        schedule->settled = schedule->noted_requested;
}

void diff_schedule_set_unsupported(struct diff_schedule *schedule)
{
    schedule->unsupported = true;
}

void diff_schedule_close(struct diff_schedule *schedule)
{
    schedule->closed = true;
}
