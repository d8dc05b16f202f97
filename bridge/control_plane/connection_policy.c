#include "bridge/control_plane/connection_policy.h"

#define JITTER_PERCENT 20

#define STATUS_UNAUTHORIZED 401
#define STATUS_FORBIDDEN 403
#define STATUS_NOT_FOUND 404
#define STATUS_GONE 410

#define CLOSE_NORMAL 1000
#define CLOSE_GOING_AWAY 1001
#define CLOSE_NO_CODE 1005

void connection_policy_init(struct connection_policy *policy,
                            const struct connection_policy_limits *limits, uint64_t now_ms)
{
    *policy = (struct connection_policy){
        .backoff =
            {
                .first_ms = limits->first_wait_ms,
                .most_ms = limits->longest_wait_ms,
                .jitter_percent = JITTER_PERCENT,
            },
        .stable_ms = limits->stable_ms,
        .first_404_retry_ms = limits->first_404_retry_ms,
        .started_ms = now_ms,
    };
}

void connection_policy_on_open(struct connection_policy *policy, uint64_t now_ms)
{
    policy->is_connected = true;
    policy->proved = false;
    policy->connected_ms = now_ms;
    policy->connection_count++;
}

void connection_policy_on_ack(struct connection_policy *policy)
{
    policy->proved = true;
}

static struct connection_decision retry(struct connection_policy *policy, uint32_t random)
{
    uint64_t wait_ms = backoff_next(&policy->backoff, random);

    policy->reconnect_attempts++;
    return (struct connection_decision){.wait_ms = wait_ms, .attempt = policy->backoff.attempts};
}

/* A 404 may mean that the control plane has not finished making the session. */
static struct connection_decision on_not_found(struct connection_policy *policy, uint64_t now_ms,
                                               uint32_t random)
{
    uint64_t waited = now_ms - policy->started_ms;
    struct connection_decision decision;

    if (policy->connection_count > 0 || waited >= policy->first_404_retry_ms)
        return (struct connection_decision){.ends = true};
    decision = retry(policy, random);
    if (decision.wait_ms > policy->first_404_retry_ms - waited)
        decision.wait_ms = policy->first_404_retry_ms - waited;
    return decision;
}

struct connection_decision connection_policy_on_refused(struct connection_policy *policy,
                                                        int status, uint64_t now_ms,
                                                        uint32_t random)
{
    switch (status) {
    case STATUS_UNAUTHORIZED:
    case STATUS_FORBIDDEN:
    case STATUS_GONE:
        return (struct connection_decision){.ends = true};
    case STATUS_NOT_FOUND:
        return on_not_found(policy, now_ms, random);
    default:
        return retry(policy, random);
    }
}

struct connection_decision connection_policy_on_failed(struct connection_policy *policy,
                                                       uint32_t random)
{
    return retry(policy, random);
}

struct connection_decision connection_policy_on_closed(struct connection_policy *policy,
                                                       unsigned code, uint64_t now_ms,
                                                       uint32_t random)
{
    bool orderly = code == CLOSE_NORMAL || code == CLOSE_GOING_AWAY || code == CLOSE_NO_CODE;
    uint64_t lasted = now_ms - policy->connected_ms;

    policy->is_connected = false;
    policy->connected_total_ms += lasted;
    if (orderly || policy->proved || lasted >= policy->stable_ms)
        backoff_reset(&policy->backoff);
    return retry(policy, random);
}

unsigned connection_policy_reconnects(const struct connection_policy *policy)
{
    return policy->connection_count > 0 ? policy->connection_count - 1 : 0;
}
