#include "bridge/limits.h"

#include "common/bridge_limits.h"
#include "common/env.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#define MS_PER_SECOND 1000.0
#define SECONDS_MOST 1e10 /* three centuries; B-106 clamps nothing, but a number has its limits */

#define RESERVE_MOST_S 900.0
#define RESERVE_SHARE 0.25

#define DETAIL_MAX 128
#define VALUE_SHOWN_MAX 64 /* of a bad value, in the log */

struct limit {
    const char *name;
    size_t offset;
    uint64_t otherwise, least, most;
};

#define LIMIT(variable, field, otherwise, least, most) \
    {(variable), offsetof(struct limits, field), (otherwise), (least), (most)},

static const struct limit LIMITS[] = {BRIDGE_LIMITS(LIMIT)};

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
    double seconds = BRIDGE_INACTIVITY_DEFAULT_S;

    /* nan is a bad value here; the original crashed on it (D-30). */
    if (text && (env_parse_seconds(text, &seconds) != 0 || isnan(seconds))) {
        seconds = BRIDGE_INACTIVITY_DEFAULT_S;
        log_invalid(log, name, text, seconds * MS_PER_SECOND);
    } else if (seconds < BRIDGE_INACTIVITY_LEAST_S) {
        seconds = BRIDGE_INACTIVITY_LEAST_S;
        log_clamped(log, name, "below min (5.0s), clamped", seconds * MS_PER_SECOND);
    } else if (seconds > BRIDGE_INACTIVITY_MOST_S) {
        seconds = BRIDGE_INACTIVITY_MOST_S;
        log_clamped(log, name, "above max (3600.0s), clamped", seconds * MS_PER_SECOND);
    }
    limits->sse_inactivity_ms = seconds_to_ms(seconds);
    log_at(log, LOG_INFO, "bridge.timeout_config", LOG_STR("timeout_name", name),
           LOG_NUM("timeout_ms", limits->sse_inactivity_ms),
           LOG_NUM("min_ms", BRIDGE_INACTIVITY_LEAST_S * MS_PER_SECOND),
           LOG_NUM("max_ms", BRIDGE_INACTIVITY_MOST_S * MS_PER_SECOND));
}

static void read_sandbox_timeout(struct limits *limits, struct log *log)
{
    static const char name[] = "SANDBOX_TIMEOUT_SECONDS";
    const char *text = env_get(name);
    double seconds = BRIDGE_SANDBOX_DEFAULT_S, reserve;

    if (text && (env_parse_seconds(text, &seconds) != 0 || !isfinite(seconds) || seconds <= 0)) {
        seconds = BRIDGE_SANDBOX_DEFAULT_S;
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
