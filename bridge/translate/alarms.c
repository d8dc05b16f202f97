/*
 * What follows when one of the prompt's clocks has run out (prompt_policy.h): the limits break the turn
 * off, with a text that says which and after how long (B-590, B-591); the others end or ask.
 */
#include "bridge/translate/state.h"
#include "common/cleanup.h"

#include <stdio.h>

#define MS_PER_SECOND 1000u
#define FAILURE_TEXT_MAX 128

/* Whole seconds, halves to even (B-590). */
static unsigned long long rounded_seconds(uint64_t ms)
{
    uint64_t seconds = ms / MS_PER_SECOND;
    uint64_t rest = ms % MS_PER_SECOND;
    bool up = rest > MS_PER_SECOND / 2 || (rest == MS_PER_SECOND / 2 && seconds % 2 == 1);

    return seconds + up;
}

static uint64_t elapsed_ms(const struct translator *t)
{
    return t->now - t->policy.started_ms;
}

static void on_inactive(struct translator *t)
{
    const struct translator_limits *limits = &t->policy.limits;
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof(text),
             "SSE stream inactive for %llus (no data received). Total elapsed: %llus",
             rounded_seconds(limits->inactivity_ms), rounded_seconds(elapsed_ms(t)));
    EMIT_NOTE(t, LOG_ERROR, "bridge.sse_inactivity_timeout",
              NOTE_TEXT("timeout_name", "sse_inactivity"), NOTE_TEXT("operation", "bridge.sse"),
              NOTE_NUM("timeout_ms", limits->inactivity_ms), NOTE_NUM("elapsed_ms", elapsed_ms(t)));
    turn_break_off(t, text, "inactivity_timeout", limits->fetch_ms);
}

static void on_silent(struct translator *t)
{
    const struct translator_limits *limits = &t->policy.limits;
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof(text),
             "OpenCode reported nothing about this prompt for %llus. Total elapsed: %llus",
             rounded_seconds(limits->silence_ms), rounded_seconds(elapsed_ms(t)));
    EMIT_NOTE(t, LOG_ERROR, "bridge.session_inactivity_timeout",
              NOTE_TEXT("timeout_name", "session_inactivity"),
              NOTE_NUM("timeout_ms", limits->silence_ms), NOTE_NUM("elapsed_ms", elapsed_ms(t)));
    turn_break_off(t, text, "session_inactivity_timeout", limits->fetch_ms);
}

static void on_too_long(struct translator *t)
{
    const struct translator_limits *limits = &t->policy.limits;
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof(text), "Prompt exceeded max duration of %llus.",
             rounded_seconds(limits->max_duration_ms));
    EMIT_NOTE(t, LOG_ERROR, "bridge.prompt_max_duration_timeout",
              NOTE_NUM("timeout_ms", limits->max_duration_ms),
              NOTE_NUM("elapsed_ms", elapsed_ms(t)));
    turn_break_off(t, text, "prompt_max_duration_timeout", limits->cleanup_ms);
}

static void on_fetch_missed(struct translator *t)
{
    EMIT_NOTE(t, LOG_ERROR, "bridge.prompt_timeout_cleanup_timeout",
              NOTE_NUM("timeout_ms", t->policy.fetch_limit_ms));
    turn_complete(t);
}

static void on_never_alive(struct translator *t)
{
    prompt_policy_ask(&t->policy);
}

void alarms_raise(struct translator *t, enum prompt_alarm alarm)
{
    static void (*const reactions[])(struct translator *) = {
        [PROMPT_ALARM_NONE] = NULL,
        [PROMPT_ALARM_INACTIVE] = on_inactive,
        [PROMPT_ALARM_SILENT] = on_silent,
        [PROMPT_ALARM_TOO_LONG] = on_too_long,
        [PROMPT_ALARM_SETTLED] = turn_finish,
        [PROMPT_ALARM_EARLY_ERROR] = turn_apply_early_error,
        [PROMPT_ALARM_NEVER_ALIVE] = on_never_alive,
        [PROMPT_ALARM_FETCH_MISSED] = on_fetch_missed,
    };

    _Static_assert(ARRAY_LENGTH(reactions) == PROMPT_ALARM_FETCH_MISSED + 1, "one per alarm");
    if (reactions[alarm])
        reactions[alarm](t);
}
