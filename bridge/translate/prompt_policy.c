#include "bridge/translate/prompt_policy.h"

#define MS_PER_SECOND 1000u

const struct translator_limits TRANSLATOR_DEFAULT_LIMITS = {
    .token_interval_ms = 100,
    .inactivity_ms = 120 * MS_PER_SECOND,
    .max_duration_ms = 6300 * MS_PER_SECOND,
    .cleanup_ms = 900 * MS_PER_SECOND,
    .fetch_ms = 60 * MS_PER_SECOND,
    .settle_ms = 500,
    .alive_ms = 30 * MS_PER_SECOND,
};

/* A sum that means "never" when it would wrap: limits may be as large as one likes. */
static uint64_t later(uint64_t from, uint64_t by)
{
    return by > UINT64_MAX - from ? UINT64_MAX : from + by;
}

void prompt_policy_begin(struct prompt_policy *policy)
{
    *policy = (struct prompt_policy){.limits = policy->limits, .phase = PROMPT_PREPARING};
}

void prompt_policy_start(struct prompt_policy *policy, uint64_t now)
{
    policy->phase = PROMPT_STREAMING;
    policy->started_ms = now;
    policy->heard_ms = policy->session_heard_ms = now;
}

void prompt_policy_accept(struct prompt_policy *policy, uint64_t now)
{
    policy->accepted = true;
    policy->accepted_ms = now;
}

bool prompt_policy_is_listening(const struct prompt_policy *policy)
{
    return policy->phase == PROMPT_STREAMING || policy->phase == PROMPT_SETTLING;
}

void prompt_policy_not_listening(struct prompt_policy *policy, uint64_t now)
{
    policy->heard_ms = policy->session_heard_ms = now;
    if (policy->phase == PROMPT_SETTLING)
        policy->phase_until_ms = later(now, policy->limits.settle_ms);
    if (policy->error_early)
        policy->early_ms = now;
}

bool prompt_policy_see_life(struct prompt_policy *policy)
{
    bool first = !policy->alive;

    policy->alive = true;
    policy->error_early = false;
    return first;
}

void prompt_policy_see_work(struct prompt_policy *policy)
{
    policy->works = true;
}

bool prompt_policy_see_busy(struct prompt_policy *policy)
{
    if (!policy->accepted)
        return false;
    if (policy->phase == PROMPT_SETTLING)
        policy->phase = PROMPT_STREAMING;
    prompt_policy_see_work(policy);
    return prompt_policy_see_life(policy);
}

enum prompt_idle prompt_policy_see_idle(struct prompt_policy *policy, bool said_something,
                                        uint64_t now)
{
    if (!policy->alive) {
        policy->early_ms = now;
        return PROMPT_IDLE_IGNORED;
    }
    if (said_something)
        return PROMPT_IDLE_FINISHED;
    if (policy->phase != PROMPT_SETTLING) {
        policy->phase = PROMPT_SETTLING;
        policy->phase_until_ms = later(now, policy->limits.settle_ms);
    }
    return PROMPT_IDLE_SETTLING;
}

bool prompt_policy_doubts_error(struct prompt_policy *policy, bool last_prompt_unsettled,
                                uint64_t now)
{
    if (policy->alive || !last_prompt_unsettled)
        return false;
    policy->error_early = true;
    policy->early_ms = now;
    return true;
}

void prompt_policy_fetch(struct prompt_policy *policy, const char *abort_reason, uint64_t limit_ms,
                         uint64_t now)
{
    policy->phase = PROMPT_FETCHING;
    policy->phase_until_ms = later(now, limit_ms);
    policy->fetch_limit_ms = limit_ms;
    policy->wants = (struct translator_wants){.abort_reason = abort_reason, .fetch = true};
}

void prompt_policy_ask(struct prompt_policy *policy)
{
    policy->asking = true;
    policy->wants.status = true;
}

bool prompt_policy_see_answer(struct prompt_policy *policy, uint64_t now)
{
    policy->asking = false;
    policy->answered_ms = now;
    return prompt_policy_is_listening(policy) && !policy->works;
}

void prompt_policy_end(struct prompt_policy *policy)
{
    policy->phase = PROMPT_DONE;
    policy->wants = (struct translator_wants){0};
}

/* Early things are judged this long after the post was answered or after they came. */
static uint64_t early_deadline(const struct prompt_policy *policy, uint64_t wait_ms)
{
    uint64_t from = policy->early_ms;

    if (!policy->accepted)
        return UINT64_MAX;
    return later(from > policy->accepted_ms ? from : policy->accepted_ms, wait_ms);
}

/* Heartbeats of the stream keep an ignored prompt from being inactive (D-02). */
static uint64_t never_alive_deadline(const struct prompt_policy *policy)
{
    uint64_t first = early_deadline(policy, policy->limits.alive_ms);
    uint64_t again = later(policy->answered_ms, policy->limits.alive_ms);

    return first > again ? first : again;
}

struct alarm {
    enum prompt_alarm alarm;
    uint64_t due_ms;
};

static void take_earlier(struct alarm *next, enum prompt_alarm alarm, uint64_t due_ms)
{
    if (due_ms < next->due_ms)
        *next = (struct alarm){alarm, due_ms};
}

static struct alarm next_alarm(const struct prompt_policy *policy)
{
    struct alarm next = {PROMPT_ALARM_NONE, UINT64_MAX};

    if (policy->phase == PROMPT_FETCHING)
        take_earlier(&next, PROMPT_ALARM_FETCH_MISSED, policy->phase_until_ms);
    if (!prompt_policy_is_listening(policy))
        return next;
    take_earlier(&next, PROMPT_ALARM_TOO_LONG,
                 later(policy->started_ms, policy->limits.max_duration_ms));
    take_earlier(&next, PROMPT_ALARM_INACTIVE,
                 later(policy->heard_ms, policy->limits.inactivity_ms));
    if (policy->limits.silence_ms > 0)
        take_earlier(&next, PROMPT_ALARM_SILENT,
                     later(policy->session_heard_ms, policy->limits.silence_ms));
    if (policy->phase == PROMPT_SETTLING)
        take_earlier(&next, PROMPT_ALARM_SETTLED, policy->phase_until_ms);
    if (policy->error_early)
        take_earlier(&next, PROMPT_ALARM_EARLY_ERROR,
                     early_deadline(policy, policy->limits.settle_ms));
    if (!policy->works && !policy->asking)
        take_earlier(&next, PROMPT_ALARM_NEVER_ALIVE, never_alive_deadline(policy));
    return next;
}

uint64_t prompt_policy_deadline(const struct prompt_policy *policy)
{
    return next_alarm(policy).due_ms;
}

enum prompt_alarm prompt_policy_check(const struct prompt_policy *policy, uint64_t now)
{
    struct alarm next = next_alarm(policy);

    return next.due_ms <= now ? next.alarm : PROMPT_ALARM_NONE;
}
