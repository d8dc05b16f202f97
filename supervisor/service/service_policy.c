#include "supervisor/service/service_policy.h"

#include "common/cleanup.h"

#define JITTER_PERCENT 10

struct transition {
    enum service_state next;
    unsigned actions;
};

/* Marks a cell that means something; IDLE with no action is the empty cell. */
#define TO(state, ...)                 \
    {                                  \
        SERVICE_##state, (__VA_ARGS__) \
    }

/* An exit or a failed start that is retried; service_policy_step() looks at the count. */
#define DEATH TO(PAUSED, SERVICE_DISARM | SERVICE_COUNT_DEATH | SERVICE_TELL_DOWN | SERVICE_PAUSE)
#define FATAL TO(FAILED, SERVICE_DISARM | SERVICE_COUNT_DEATH | SERVICE_TELL_FAILED)
#define FATAL_ALIVE TO(FAILED, SERVICE_DISARM | SERVICE_KILL | SERVICE_TELL_FAILED)
#define END TO(ENDING, SERVICE_DISARM | SERVICE_TELL_DOWN | SERVICE_TERMINATE)
#define STOP_ALIVE TO(STOPPING, SERVICE_DISARM | SERVICE_TERMINATE)
#define STOP_DEAD TO(STOPPED, SERVICE_DISARM | SERVICE_TELL_STOPPED)
#define READY TO(RUNNING, SERVICE_DISARM | SERVICE_AWAIT_STABLE | SERVICE_TELL_READY)

static const struct transition transitions[SERVICE_STATE_COUNT][SERVICE_EVENT_COUNT] =
    {
        [SERVICE_IDLE] =
            {
                [SERVICE_EVENT_START_EARLY] = TO(EARLY_START, SERVICE_SPAWN),
                [SERVICE_EVENT_START] = TO(FIRST_START, SERVICE_LIMIT_START | SERVICE_SPAWN),
                [SERVICE_EVENT_STOP] = STOP_DEAD,
            },
        [SERVICE_EARLY_START] =
            {
                [SERVICE_EVENT_START] = TO(FIRST_START, SERVICE_LIMIT_START),
                [SERVICE_EVENT_READY] = READY,
                [SERVICE_EVENT_EXITED] = TO(IDLE, SERVICE_NOTE_FAILURE),
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_SPAWN_FAILED] = TO(IDLE, SERVICE_NOTE_FAILURE),
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_FIRST_START] =
            {
                [SERVICE_EVENT_READY] = READY,
                [SERVICE_EVENT_EXITED] = FATAL,
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_SPAWN_FAILED] = FATAL,
                [SERVICE_EVENT_START_TOO_LONG] = FATAL_ALIVE,
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_RUNNING] =
            {
                [SERVICE_EVENT_EXITED] = DEATH,
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_UNHEALTHY] = END,
                [SERVICE_EVENT_RECYCLE] =
                    TO(RECYCLING, SERVICE_DISARM | SERVICE_TELL_DOWN | SERVICE_TERMINATE),
                [SERVICE_EVENT_STABLE] = TO(RUNNING, SERVICE_FORGET_DEATHS),
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_PAUSED] =
            {
                [SERVICE_EVENT_PAUSE_OVER] =
                    TO(RESTARTING, SERVICE_DISARM | SERVICE_LIMIT_START | SERVICE_SPAWN),
                [SERVICE_EVENT_STOP] = STOP_DEAD,
            },
        [SERVICE_RESTARTING] =
            {
                [SERVICE_EVENT_READY] = READY,
                [SERVICE_EVENT_EXITED] = DEATH,
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_SPAWN_FAILED] = DEATH,
                [SERVICE_EVENT_START_TOO_LONG] = END,
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_ENDING] =
            {
                [SERVICE_EVENT_EXITED] =
                    TO(PAUSED, SERVICE_DISARM | SERVICE_COUNT_DEATH | SERVICE_PAUSE),
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_GRACE_OVER] = TO(ENDING, SERVICE_KILL),
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_RECYCLING] =
            {
                [SERVICE_EVENT_EXITED] = TO(PAUSED, SERVICE_DISARM | SERVICE_PAUSE),
                [SERVICE_EVENT_EXITED_FOR_GOOD] = FATAL,
                [SERVICE_EVENT_GRACE_OVER] = TO(RECYCLING, SERVICE_KILL),
                [SERVICE_EVENT_STOP] = STOP_ALIVE,
            },
        [SERVICE_STOPPING] =
            {
                [SERVICE_EVENT_EXITED] = STOP_DEAD,
                [SERVICE_EVENT_EXITED_FOR_GOOD] = STOP_DEAD,
                [SERVICE_EVENT_GRACE_OVER] = TO(STOPPING, SERVICE_KILL),
            },
        [SERVICE_FAILED] =
            {
                [SERVICE_EVENT_STOP] = STOP_DEAD,
            },
};

static const unsigned pauses_s[] = {0, 2, 4, 8, 16};
_Static_assert(ARRAY_LENGTH(pauses_s) == SERVICE_DEATHS_MAX, "one pause for each allowed death");

static const char *const state_names[] = {
    [SERVICE_IDLE] = "idle",
    [SERVICE_EARLY_START] = "starting early",
    [SERVICE_FIRST_START] = "starting",
    [SERVICE_RUNNING] = "running",
    [SERVICE_PAUSED] = "paused",
    [SERVICE_RESTARTING] = "restarting",
    [SERVICE_ENDING] = "ending",
    [SERVICE_RECYCLING] = "recycling",
    [SERVICE_STOPPING] = "stopping",
    [SERVICE_STOPPED] = "stopped",
    [SERVICE_FAILED] = "failed",
};
_Static_assert(ARRAY_LENGTH(state_names) == SERVICE_STATE_COUNT, "every state has a name");

unsigned service_policy_step(struct service_policy *policy, enum service_event event)
{
    struct transition to = transitions[policy->state][event];

    if (to.actions == 0)
        return 0;
    policy->state = to.next;
    if (to.actions & SERVICE_FORGET_DEATHS)
        policy->deaths = 0;
    if (!(to.actions & SERVICE_COUNT_DEATH))
        return to.actions;
    policy->deaths++;
    if (policy->deaths <= SERVICE_DEATHS_MAX || to.next == SERVICE_FAILED)
        return to.actions;
    policy->state = SERVICE_FAILED;
    return (to.actions & ~(unsigned)SERVICE_PAUSE) | SERVICE_TELL_FAILED;
}

uint64_t service_policy_pause_ms(const struct service_policy *policy, uint32_t random)
{
    unsigned death = policy->deaths > 0 ? policy->deaths - 1 : 0;
    uint64_t ms =
        1000ULL * pauses_s[death < ARRAY_LENGTH(pauses_s) ? death : ARRAY_LENGTH(pauses_s) - 1];
    uint64_t swing = ms * JITTER_PERCENT / 100;

    return swing == 0 ? ms : ms - swing + random % (2 * swing + 1);
}

const char *service_policy_state_name(enum service_state state)
{
    return state_names[state];
}
