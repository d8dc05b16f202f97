#include "net/net_timer.h"

#include "common/clock.h"

#include <stdbool.h>
#include <stddef.h>

static void on_uv_timer(uv_timer_t *uv);

static void arm(struct net_timers *timers)
{
    uint64_t now = clock_monotonic_ms();

    if (!timers->first) {
        uv_timer_stop(&timers->uv);
        return;
    }
    /* uv counts from the loop's idea of now, which is old after a long callback. */
    uv_update_time(timers->uv.loop);
    uv_timer_start(&timers->uv, on_uv_timer,
                   timers->first->due_ms > now ? timers->first->due_ms - now : 0, 0);
}

static void unlink_timer(struct net_timer *timer)
{
    if (timer->previous)
        timer->previous->next = timer->next;
    else
        timer->timers->first = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
    timer->timers = NULL;
    timer->previous = NULL;
    timer->next = NULL;
}

static void on_uv_timer(uv_timer_t *uv)
{
    struct net_timers *timers = uv->data;
    uint64_t now = clock_monotonic_ms();

    /* One per round: on_due may start timers that are due at once, and the loop has other things to
     * do in between. */
    if (timers->first && timers->first->due_ms <= now) {
        struct net_timer *timer = timers->first;

        unlink_timer(timer);
        timer->on_due(timer);
    }
    arm(timers);
}

void net_timers_init(struct net_timers *timers, uv_loop_t *loop)
{
    timers->first = NULL;
    uv_timer_init(loop, &timers->uv);
    timers->uv.data = timers;
}

void net_timer_start(struct net_timers *timers, struct net_timer *timer, uint64_t after_ms,
                     net_timer_fn *on_due)
{
    struct net_timer *before = NULL;
    struct net_timer *after;

    if (timer->timers)
        unlink_timer(timer);
    timer->timers = timers;
    timer->due_ms = clock_monotonic_ms() + after_ms;
    timer->on_due = on_due;
    for (after = timers->first; after && after->due_ms <= timer->due_ms; after = after->next)
        before = after;
    timer->previous = before;
    timer->next = after;
    if (after)
        after->previous = timer;
    if (before)
        before->next = timer;
    else
        timers->first = timer;
    if (timers->first == timer)
        arm(timers);
}

void net_timer_stop(struct net_timer *timer)
{
    struct net_timers *timers = timer->timers;
    bool was_first;

    if (!timers)
        return;
    was_first = timers->first == timer;
    unlink_timer(timer);
    if (was_first)
        arm(timers);
}
