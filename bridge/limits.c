#include "bridge/limits.h"

#include "common/env.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define MS_PER_SECOND 1000.0
#define SECONDS_MOST 1e10 /* three centuries; B-106 clamps nothing, but a number has its limits */

#define INACTIVITY_DEFAULT_S 120.0
#define INACTIVITY_LEAST_S 5.0
#define INACTIVITY_MOST_S 3600.0

#define SANDBOX_DEFAULT_S 7200.0
#define RESERVE_MOST_S 900.0
#define RESERVE_SHARE 0.25

#define DETAIL_MAX 128
#define VALUE_SHOWN_MAX 64 /* of a bad value, in the log */

struct limit {
    const char *name;
    size_t offset;
    uint64_t otherwise, least, most;
};

#define LIMIT(variable, field, otherwise, least, most)                           \
    {                                                                            \
        (variable), offsetof(struct limits, field), (otherwise), (least), (most) \
    }

static const struct limit LIMITS[] = {
    LIMIT("BRIDGE_TOKEN_INTERVAL_MS", token_interval_ms, 100, 0, 10000),
    LIMIT("BRIDGE_HEARTBEAT_INTERVAL_MS", heartbeat_ms, 30000, 50, 60000),
    LIMIT("BRIDGE_HANDSHAKE_TIMEOUT_MS", handshake_ms, 10000, 50, 60000),
    LIMIT("BRIDGE_PING_INTERVAL_MS", ping_interval_ms, 20000, 1000, 60000),
    LIMIT("BRIDGE_PONG_TIMEOUT_MS", pong_timeout_ms, 10000, 1000, 60000),
    LIMIT("BRIDGE_RECONNECT_FIRST_MS", reconnect_first_ms, 2000, 10, 60000),
    LIMIT("BRIDGE_RECONNECT_MAX_MS", reconnect_max_ms, 60000, 10, 600000),
    LIMIT("BRIDGE_STABLE_CONNECTION_MS", stable_connection_ms, 10000, 10, 600000),
    LIMIT("BRIDGE_FIRST_404_RETRY_MS", first_404_retry_ms, 30000, 0, 600000),
    LIMIT("BRIDGE_OPENCODE_TIMEOUT_MS", opencode_call_ms, 30000, 50, 600000),
    LIMIT("BRIDGE_SESSION_LOOKUP_MS", session_lookup_ms, 10000, 0, 600000),
    LIMIT("BRIDGE_FINAL_FETCH_MS", final_fetch_ms, 60000, 50, 900000),
    LIMIT("BRIDGE_SETTLE_MS", settle_ms, 500, 0, 60000),
    LIMIT("BRIDGE_ALIVE_MS", alive_ms, 30000, 50, 600000),
    LIMIT("BRIDGE_SESSION_INACTIVITY_MS", session_inactivity_ms, 0, 0, 86400000),
    LIMIT("BRIDGE_PUSH_TIMEOUT_MS", push_ms, 300000, 50, 3600000),
    LIMIT("BRIDGE_LEGACY_PUSH_TIMEOUT_MS", legacy_push_ms, 170000, 50, 3600000),
    LIMIT("BRIDGE_PUSH_KILL_MS", push_kill_ms, 5000, 10, 60000),
    LIMIT("BRIDGE_DRAIN_TIMEOUT_MS", drain_ms, 2000, 0, 60000),
    LIMIT("BRIDGE_ATTACHMENT_TIMEOUT_MS", attachment_ms, 120000, 50, 3600000),
    LIMIT("BRIDGE_SIGNING_TIMEOUT_MS", signing_ms, 30000, 50, 600000),
    LIMIT("BRIDGE_GIT_CONFIG_TIMEOUT_MS", git_config_ms, 10000, 50, 600000),
    LIMIT("BRIDGE_DIFF_TIMEOUT_MS", diff_capture_ms, 60000, 50, 3600000),
    LIMIT("BRIDGE_DIFF_STEP_TIMEOUT_MS", diff_step_ms, 20000, 50, 600000),
    LIMIT("BRIDGE_DIFF_UPLOAD_TIMEOUT_MS", diff_upload_ms, 60000, 50, 600000),
    LIMIT("BRIDGE_DIFF_MAX_FILES", diff_max_files, 1000, 0, 1000),
    LIMIT("BRIDGE_DIFF_MAX_PATCH_BYTES", diff_max_patch_bytes, 524288, 0, 524288),
    LIMIT("BRIDGE_DIFF_MAX_CAPTURE_BYTES", diff_max_capture_bytes, 1048576, 0, 1048576),
    LIMIT("BRIDGE_DIFF_MAX_LISTING_BYTES", diff_max_listing_bytes, 8000000, 0, 64000000),
    LIMIT("BRIDGE_DIFF_MAX_BUNDLE_BYTES", diff_max_bundle_bytes, 1572864, 0, 1572864),
    LIMIT("BRIDGE_OUTBOX_MAX_EVENTS", outbox_max_events, 10000, 2, 1000000),
    LIMIT("BRIDGE_OUTBOX_MAX_BYTES", outbox_max_bytes, 16 * 1024 * 1024, 64 * 1024,
          1024 * 1024 * 1024),
};

static void log_invalid(struct log *log, const char *name, const char *text, double used_ms)
{
    char detail[DETAIL_MAX];

    snprintf(detail, sizeof detail, "invalid value '%.*s', using default", VALUE_SHOWN_MAX, text);
    log_at(log, LOG_WARNING, "bridge.timeout_invalid", LOG_STR("timeout_name", name),
           LOG_NUM("timeout_ms", used_ms), LOG_STR("detail", detail));
}

static void log_clamped(struct log *log, const char *name, const char *detail, double used_ms)
{
    log_at(log, LOG_WARNING, "bridge.timeout_clamped", LOG_STR("timeout_name", name),
           LOG_NUM("timeout_ms", used_ms), LOG_STR("detail", detail));
}

/* Milliseconds are cut, not rounded (B-115). */
static uint64_t seconds_to_ms(double seconds)
{
    return (uint64_t)(fmin(seconds, SECONDS_MOST) * MS_PER_SECOND);
}

static void read_inactivity(struct limits *limits, struct log *log)
{
    static const char name[] = "BRIDGE_SSE_INACTIVITY_TIMEOUT";
    const char *text = env_get(name);
    double seconds = INACTIVITY_DEFAULT_S;

    /* nan is a bad value here; the original crashed on it (D-30). */
    if (text && (env_parse_seconds(text, &seconds) != 0 || isnan(seconds))) {
        seconds = INACTIVITY_DEFAULT_S;
        log_invalid(log, name, text, seconds * MS_PER_SECOND);
    } else if (seconds < INACTIVITY_LEAST_S) {
        seconds = INACTIVITY_LEAST_S;
        log_clamped(log, name, "below min (5.0s), clamped", seconds * MS_PER_SECOND);
    } else if (seconds > INACTIVITY_MOST_S) {
        seconds = INACTIVITY_MOST_S;
        log_clamped(log, name, "above max (3600.0s), clamped", seconds * MS_PER_SECOND);
    }
    limits->sse_inactivity_ms = seconds_to_ms(seconds);
    log_at(log, LOG_INFO, "bridge.timeout_config", LOG_STR("timeout_name", name),
           LOG_NUM("timeout_ms", limits->sse_inactivity_ms),
           LOG_NUM("min_ms", INACTIVITY_LEAST_S * MS_PER_SECOND),
           LOG_NUM("max_ms", INACTIVITY_MOST_S * MS_PER_SECOND));
}

static void read_sandbox_timeout(struct limits *limits, struct log *log)
{
    static const char name[] = "SANDBOX_TIMEOUT_SECONDS";
    const char *text = env_get(name);
    double seconds = SANDBOX_DEFAULT_S, reserve;

    if (text && (env_parse_seconds(text, &seconds) != 0 || !isfinite(seconds) || seconds <= 0)) {
        seconds = SANDBOX_DEFAULT_S;
        log_invalid(log, name, text, seconds * MS_PER_SECOND);
    }
    log_at(log, LOG_INFO, "bridge.timeout_config", LOG_STR("timeout_name", name),
           LOG_NUM("timeout_ms", seconds_to_ms(seconds)));

    reserve = fmin(RESERVE_MOST_S, RESERVE_SHARE * seconds);
    limits->prompt_max_duration_ms = seconds_to_ms(seconds - reserve);
    limits->prompt_cleanup_ms = seconds_to_ms(reserve);
    log_at(log, LOG_INFO, "bridge.prompt_timeout_config",
           LOG_NUM("timeout_ms", limits->prompt_max_duration_ms),
           LOG_NUM("sandbox_timeout_ms", seconds_to_ms(seconds)),
           LOG_NUM("snapshot_reserve_ms", limits->prompt_cleanup_ms));
}

static uint64_t read_number(const struct limit *limit, struct log *log)
{
    const char *text = env_get(limit->name);
    double number;

    if (!text)
        return limit->otherwise;
    if (env_parse_seconds(text, &number) != 0 || isnan(number)) {
        log_invalid(log, limit->name, text, (double)limit->otherwise);
        return limit->otherwise;
    }
    if (number < (double)limit->least) {
        log_clamped(log, limit->name, "below min, clamped", (double)limit->least);
        return limit->least;
    }
    if (number > (double)limit->most) {
        log_clamped(log, limit->name, "above max, clamped", (double)limit->most);
        return limit->most;
    }
    return (uint64_t)number;
}

void limits_read(struct limits *limits, struct log *log)
{
    read_inactivity(limits, log);
    read_sandbox_timeout(limits, log);
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++)
        *(uint64_t *)((char *)limits + LIMITS[i].offset) = read_number(&LIMITS[i], log);
}
