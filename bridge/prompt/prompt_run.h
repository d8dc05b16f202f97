/*
 * Runs prompts, one after the other: takes them from the control plane, posts them to OpenCode once
 * that is there, feeds the translator with what OpenCode does, and answers the translator's wants
 * (abort, final fetch). Each prompt that was taken ends with exactly one `execution_complete`, which
 * the translator emits; the journal sees to it across crashes.
 *
 * A prompt's way: WAITING (for its preparation, OpenCode, its event stream, the abort of the prompt
 * before) ->
 * CREATING (the session) -> POSTING -> RUNNING -> done. One that an earlier bridge began goes from
 * WAITING through TAKING_OVER.
 *
 * Everything in the options must outlive the run. All calls come from the loop's thread.
 */
#ifndef BRIDGE_PROMPT_PROMPT_RUN_H
#define BRIDGE_PROMPT_PROMPT_RUN_H

#include "bridge/journal/journal.h"
#include "bridge/opencode/event_feed.h"
#include "bridge/opencode/opencode_session.h"
#include "bridge/prompt/prompt_preparation.h"
#include "bridge/translate/translator.h"

struct prompt_run;

struct prompt_run_options {
    uv_loop_t *loop;
    struct opencode_api *api;
    struct opencode_session *session;
    struct event_feed *feed;
    struct journal *journal;
    struct log *log;
    struct prompt_preparation_options preparation;
    struct translator_limits limits;
    uint64_t opencode_limit_ms; /* how long a prompt waits for OpenCode to be there */
    void *user;
    void (*on_event)(void *user, cJSON *event); /* for the outbox; the callee deletes it */
    void (*on_running)(void *user, const char *message_id, bool running);
    void (*on_quiet)(void *user); /* prompt_run_is_quiet() became true */
};

/* NULL when out of memory. */
struct prompt_run *prompt_run_new(const struct prompt_run_options *options);

/* A prompt command; taken over. */
void prompt_run_take(struct prompt_run *run, cJSON *command);

/* What the journal still owes; before anything else is taken. */
void prompt_run_resume(struct prompt_run *run);

/* The stop command: the running prompt ends at once as cancelled, waiting ones too, OpenCode is
 * told (B-325, B-326). */
void prompt_run_stop(struct prompt_run *run);

/* The process ends: as prompt_run_stop, and nothing is taken any more. `error` NULL: cancelled;
 * otherwise the completions' text. */
void prompt_run_wind_down(struct prompt_run *run, const char *error);

/* Nothing is asked of OpenCode any more: no prompt, no abort under way. */
bool prompt_run_is_quiet(const struct prompt_run *run);

bool prompt_run_is_running(const struct prompt_run *run);

/* OpenCode may be asked (the supervisor's readiness gate). True at the start. */
void prompt_run_set_opencode_ready(struct prompt_run *run, bool ready);

/* The session was looked up, the feed changed, or something else that a prompt may wait for. */
void prompt_run_advance(struct prompt_run *run);

/* From the feed. */
void prompt_run_on_feed_event(struct prompt_run *run, char *data, size_t len);
void prompt_run_on_feed_down(struct prompt_run *run, bool was_up, int status,
                             const struct err *err);

/* It was paused and is read again: the silence was ours. */
void prompt_run_on_feed_resumed(struct prompt_run *run);

/* Frees itself once the loop has closed its timer; no event follows. */
void prompt_run_close(struct prompt_run *run);

#endif
