/*
 * One-shot timers that are embedded in their owner and stopped at once, without a close callback.
 * All timers of a context share its one uv timer, so that an idle process wakes up only for them.
 * A zeroed struct is a stopped timer. Private to net/.
 */
#ifndef NET_NET_TIMER_H
#define NET_NET_TIMER_H

#include <stdint.h>
#include <uv.h>

struct net_timer;

typedef void net_timer_fn(struct net_timer *timer);

struct net_timer {
    struct net_timers *timers; /* NULL: stopped */
    struct net_timer *previous;
    struct net_timer *next;
    uint64_t due_ms;
    net_timer_fn *on_due;
};

struct net_timers {
    uv_timer_t uv;
    struct net_timer *first; /* the others follow in order of time */
};

void net_timers_init(struct net_timers *timers, uv_loop_t *loop);

/* (Re)starts the timer. It is stopped when on_due runs. */
void net_timer_start(struct net_timers *timers, struct net_timer *timer, uint64_t after_ms,
                     net_timer_fn *on_due);

void net_timer_stop(struct net_timer *timer);

#endif
