/*
 * When something that must keep running is started, restarted, killed and given up (S-331..S-348).
 * Pure: one table state x event -> state, actions. The actor (service.c) does what the actions say.
 *
 *   IDLE -> FIRST_START -> RUNNING -> PAUSED -> RESTARTING -> RUNNING ...
 *     \-> EARLY_START -/
 *
 * EARLY_START is a start before it is needed: it has no limit, and after a failure it is tried again
 * when it is needed. The event START then makes a FIRST_START of it, whose limit begins.
 * FIRST_START and RESTARTING differ in one thing: a failure of the first start is fatal at once
 * (S-127, S-128), a failed restart is one more death under the same budget (S-346).
 */
#ifndef SUPERVISOR_SERVICE_SERVICE_POLICY_H
#define SUPERVISOR_SERVICE_SERVICE_POLICY_H

#include <stdint.h>

enum service_state {
    SERVICE_IDLE,
    SERVICE_EARLY_START, /* spawned before it is needed, not ready yet */
    SERVICE_FIRST_START, /* spawned, not ready yet, never was */
    SERVICE_RUNNING,     /* ready */
    SERVICE_PAUSED,      /* dead, waiting for the next try */
    SERVICE_RESTARTING,  /* spawned again, not ready yet */
    SERVICE_ENDING,      /* alive but useless: being killed, to be started again */
    SERVICE_RECYCLING,   /* alive and useful: ended to be started afresh, which is no death */
    SERVICE_STOPPING,    /* told to stop */
    SERVICE_STOPPED,
    SERVICE_FAILED, /* given up */
    SERVICE_STATE_COUNT
};

enum service_event {
    SERVICE_EVENT_START_EARLY,
    SERVICE_EVENT_START,
    SERVICE_EVENT_READY,
    SERVICE_EVENT_EXITED,
    SERVICE_EVENT_EXITED_FOR_GOOD, /* of what no restart repairs */
    SERVICE_EVENT_SPAWN_FAILED,
    SERVICE_EVENT_START_TOO_LONG,
    SERVICE_EVENT_UNHEALTHY,
    SERVICE_EVENT_RECYCLE,
    SERVICE_EVENT_GRACE_OVER, /* SIGTERM had its time */
    SERVICE_EVENT_PAUSE_OVER,
    SERVICE_EVENT_STABLE, /* a minute without a death */
    SERVICE_EVENT_STOP,
    SERVICE_EVENT_COUNT
};

/* To be done in this order. */
enum service_action {
    SERVICE_DISARM = 1 << 0, /* no timer of the last state counts any more */
    SERVICE_COUNT_DEATH = 1 << 1,
    SERVICE_FORGET_DEATHS = 1 << 2,
    SERVICE_TELL_DOWN = 1 << 3,
    SERVICE_TERMINATE = 1 << 4, /* SIGTERM, and a grace period */
    SERVICE_KILL = 1 << 5,
    SERVICE_SPAWN = 1 << 6,
    SERVICE_PAUSE = 1 << 7,
    SERVICE_AWAIT_STABLE = 1 << 8,
    SERVICE_TELL_READY = 1 << 9,
    SERVICE_TELL_FAILED = 1 << 10,
    SERVICE_TELL_STOPPED = 1 << 11,
    SERVICE_LIMIT_START = 1 << 12,  /* a limit for becoming ready */
    SERVICE_NOTE_FAILURE = 1 << 13, /* an early start failed: only logged */
};

struct service_policy {
    enum service_state state;
    unsigned deaths; /* since the start, or since the last stable minute (S-347) */
};

/* More deaths than this and the service is given up. */
#define SERVICE_DEATHS_MAX 5
#define SERVICE_STABLE_MS (60 * 1000)

/* Moves on and returns the actions. An event that means nothing in the state changes nothing. */
unsigned service_policy_step(struct service_policy *policy, enum service_event event);

/* The pause before the next start, with jitter from any 32 random bits (S-345: 0, 2, 4, 8, 16 s). */
uint64_t service_policy_pause_ms(const struct service_policy *policy, uint32_t random);

const char *service_policy_state_name(enum service_state state);

#endif
