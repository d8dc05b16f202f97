#include "bridge/control_plane/connection_log.h"

#include <stdio.h>

#define MS_PER_SECOND 1000.0
#define CODE_TEXT_MAX 16

#define CLOSE_NORMAL 1000
#define CLOSE_GOING_AWAY 1001

#define COUNTERS(policy)                                                  \
    LOG_NUM("connection_count", (policy)->connection_count),              \
        LOG_NUM("reconnect_count", connection_policy_reconnects(policy)), \
        LOG_NUM("reconnect_attempt_count", (policy)->reconnect_attempts)

static double seconds(uint64_t ms)
{
    return (double)ms / MS_PER_SECOND;
}

void connection_log_open(struct log *log, const struct connection_policy *policy)
{
    log_at(log, LOG_INFO, "bridge.connect", LOG_STR("outcome", "success"), COUNTERS(policy));
}

void connection_log_failed(struct log *log, const struct err *err)
{
    log_at(log, LOG_WARNING, "bridge.connect_error", LOG_STR("detail", err->text),
           LOG_STR("error_type", err_class_name(err->class)));
}

void connection_log_lost(struct log *log, const struct connection_policy *policy,
                         const struct ws_end *end, uint64_t lasted_ms, bool leaving)
{
    bool closed = end->kind == WS_END_CLOSED;
    bool odd = closed && end->close_code != CLOSE_NORMAL && end->close_code != CLOSE_GOING_AWAY;
    char code[CODE_TEXT_MAX];

    snprintf(code, sizeof code, "%u", end->close_code);
    log_at(log, odd ? LOG_WARNING : LOG_INFO, "bridge.disconnect",
           LOG_STR("reason", leaving ? "shutdown_requested" : "connection_closed"),
           LOG_NUM("connection_duration_seconds", seconds(lasted_ms)),
           LOG_NUM("total_connected_duration_seconds", seconds(policy->connected_total_ms)),
           COUNTERS(policy), LOG_JSON("ws_close_code", closed ? code : NULL),
           LOG_STR("detail", end->err.text));
}

void connection_log_retry(struct log *log, const struct connection_policy *policy,
                          struct connection_decision decision)
{
    log_at(log, LOG_INFO, "bridge.reconnect", LOG_NUM("attempt", decision.attempt),
           LOG_NUM("reconnect_attempt_count", policy->reconnect_attempts),
           LOG_NUM("delay_s", seconds(decision.wait_ms)));
}

void connection_log_flush_begins(struct flush_log *flush, struct log *log, size_t waiting)
{
    flush->resending = flush->owed < waiting ? flush->owed : waiting;
    flush->buffered = waiting - flush->resending;
    flush->owed = 0;
    if (flush->resending > 0)
        log_at(log, LOG_INFO, "bridge.flush_pending_acks_start",
               LOG_NUM("count", flush->resending));
    if (flush->buffered > 0)
        log_at(log, LOG_INFO, "bridge.flush_buffer_start", LOG_NUM("buffer_size", flush->buffered));
}

/* Owed events are older and go first. */
void connection_log_flush_ends(struct flush_log *flush, struct log *log, size_t remaining)
{
    size_t unsent = remaining < flush->buffered ? remaining : flush->buffered;
    size_t unresent = remaining - unsent < flush->resending ? remaining - unsent : flush->resending;

    if (flush->resending > 0)
        log_at(log, LOG_INFO, "bridge.flush_pending_acks_complete",
               LOG_NUM("resent", flush->resending - unresent), LOG_NUM("total", flush->resending));
    if (flush->buffered > 0)
        log_at(log, LOG_INFO, "bridge.flush_buffer_complete",
               LOG_NUM("flushed", flush->buffered - unsent), LOG_NUM("remaining", unsent));
    flush->resending = flush->buffered = 0;
}

void connection_log_end(struct log *log, const struct connection_policy *policy,
                        const char *outcome)
{
    log_at(log, LOG_INFO, "bridge.run_complete", LOG_STR("outcome", outcome), COUNTERS(policy),
           LOG_NUM("total_connected_duration_seconds", seconds(policy->connected_total_ms)));
}
