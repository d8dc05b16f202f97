/*
 * A prompt whose events were not all heard, because the event stream broke or because an earlier
 * bridge began it: what OpenCode has stored of it is read and given to the translator, which then
 * goes on, ends the prompt, or says that OpenCode never got it. Asked are, in this order: the
 * messages, what OpenCode does, what child sessions did, and what waits for an answer.
 *
 * The event stream is up before that: what happens meanwhile is heard twice rather than not at all.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define STATUS_OK 200
#define STATUS_NOT_FOUND 404

#define RETRY_MS 500
#define ANSWER_SHOWN_MAX 512
#define FAILURE_TEXT_MAX (ANSWER_SHOWN_MAX + 128)

static void go_on(struct prompt_run *run)
{
    run->missed = false;
    prompt_run_set_step(run, PROMPT_STEP_RUNNING);
    prompt_run_follow_up(run);
}

/* It may be that OpenCode is being restarted; the wait for that has its limit. */
static void try_again(struct prompt_run *run, const struct err *err)
{
    log_at(run->options.log, LOG_WARNING, "bridge.prompt_resync_error", LOG_ERR(err));
    run->resync_at_ms = prompt_run_now(run) + RETRY_MS;
    prompt_run_set_step(run, run->step);
}

/* ---- messages and status ---- */

static void conclude(struct prompt_run *run)
{
    AUTO_JSON cJSON *messages = TAKE_PTR(run->stored_messages);
    AUTO_JSON cJSON *status = TAKE_PTR(run->stored_status);
    const struct translator_stored stored = {
        .messages = messages, .status = status, .omits_steps = run->takes_over};
    bool has_prompt = translator_resync(run->translator, &stored, prompt_run_now(run), &run->sink);

    log_at(run->options.log, LOG_INFO, "bridge.prompt_resynced",
           LOG_STR("message_id", run->prompt.message_id), LOG_BOOL("found", has_prompt),
           LOG_BOOL("taken_over", run->takes_over),
           LOG_NUM("message_count", cJSON_GetArraySize(messages)));
    if (!has_prompt && run->step == PROMPT_STEP_TAKING_OVER) {
        run->takes_over = run->missed = false;
        prompt_run_set_step(run, PROMPT_STEP_WAITING);
        prompt_run_advance(run);
        return;
    }
    if (!translator_is_done(run->translator))
        prompt_asks_list(run); /* what was asked while nobody listened would wait for ever */
    go_on(run);
}

static bool says_idle(const struct prompt_run *run, const cJSON *status)
{
    const struct journal_prompt *record = prompt_run_posted_record(run);
    const char *type =
        record ? json_get_string(json_get(status, record->session_id), "type") : NULL;

    return cJSON_IsObject(status) && (!type || strcmp(type, "idle") == 0);
}

static void on_status(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;
    AUTO_JSON cJSON *status = NULL;

    run->resync = NULL;
    if (!response) {
        try_again(run, err);
        return;
    }
    /* Without an answer that can be used the messages decide. */
    if (response->status == STATUS_OK && response->body.data)
        status = json_parse_in_place(response->body.data, response->body.len, NULL);
    /* It may have ended since the messages were read: what they say now is how it ended. */
    if (!run->resync_saw_idle && says_idle(run, status)) {
        run->resync_saw_idle = true;
        prompt_resync_advance(run);
        return;
    }
    cJSON_Delete(run->stored_status);
    run->stored_status = TAKE_PTR(status);
    prompt_children_read(run, run->stored_messages, conclude);
}

static void give_up(struct prompt_run *run, int status, const struct err *err)
{
    char text[FAILURE_TEXT_MAX];

    if (status == STATUS_NOT_FOUND)
        snprintf(text, sizeof text,
                 "OpenCode no longer has the session that this prompt ran in: it was lost.");
    else
        snprintf(text, sizeof text, "The prompt could not be taken up again: %.*s",
                 ANSWER_SHOWN_MAX, err->text);
    translator_fail(run->translator, text, prompt_run_now(run), &run->sink);
    go_on(run);
}

static void on_messages(void *user, cJSON *messages, int status, const struct err *err)
{
    struct prompt_run *run = user;
    struct err why = {0};

    run->pages = NULL;
    if (!messages && status != 0) {
        give_up(run, status, err);
        return;
    }
    if (!messages) {
        try_again(run, err);
        return;
    }
    run->stored_messages = messages;
    run->resync = opencode_get_status(run->options.api, on_status, run, &why);
    if (!run->resync)
        try_again(run, &why);
}

void prompt_resync_advance(struct prompt_run *run)
{
    const char *session_id = prompt_calls_session(run);
    const struct message_pages_since since = {run->user_message_id, run->posted_wall_ms};
    struct err err = {0};

    if (!run->missed || run->pages || run->resync || run->children ||
        !event_feed_is_up(run->options.feed) ||
        (run->step != PROMPT_STEP_RUNNING && run->step != PROMPT_STEP_TAKING_OVER) ||
        prompt_run_now(run) < run->resync_at_ms || !translator_is_listening(run->translator) ||
        !session_id)
        return;
    cJSON_Delete(run->stored_messages);
    run->stored_messages = NULL;
    run->pages = message_pages_read(run->options.api, session_id, &since, on_messages, run, &err);
    if (!run->pages)
        try_again(run, &err);
}

void prompt_resync_wait(struct prompt_run *run)
{
    prompt_resync_drop(run);
    run->missed = run->children_missed = true;
    run->resync_saw_idle = false;
    run->resync_at_ms = 0;
    run->resync_until_ms =
        run->opencode_ready ? prompt_run_now(run) + run->options.opencode_limit_ms : UINT64_MAX;
    translator_on_gap(run->translator);
    prompt_run_set_step(run, run->step);
}

void prompt_resync_take_over(struct prompt_run *run, const struct journal_prompt *record)
{
    uint64_t now = prompt_run_now(run);
    const cJSON *error;

    cJSON_ArrayForEach(error, record->errors)
        translator_recall_error(run->translator, cJSON_GetStringValue(error));
    translator_set_session(run->translator, record->session_id);
    if (translator_start(run->translator, record->user_message_id, record->started_wall_ms, now) !=
        0) {
        translator_fail(run->translator, "out of memory", now, &run->sink);
        prompt_run_follow_up(run);
        return;
    }
    translator_accepted(run->translator, now);
    snprintf(run->user_message_id, sizeof run->user_message_id, "%s", record->user_message_id);
    run->posted_wall_ms = record->started_wall_ms;
    run->heard_ms = now;
    run->step = PROMPT_STEP_TAKING_OVER;
    prompt_resync_wait(run);
    prompt_resync_advance(run);
}

uint64_t prompt_resync_deadline(const struct prompt_run *run)
{
    bool retries = run->resync_at_ms > 0 && !run->pages && !run->resync && !run->children &&
                   translator_is_listening(run->translator);

    if (!run->missed)
        return UINT64_MAX;
    return retries && run->resync_at_ms < run->resync_until_ms &&
                   event_feed_is_up(run->options.feed)
               ? run->resync_at_ms
               : run->resync_until_ms;
}

void prompt_resync_tick(struct prompt_run *run, uint64_t now)
{
    if (!run->missed)
        return;
    if (now >= run->resync_until_ms) {
        prompt_resync_drop(run);
        run->missed = false;
        translator_stream_lost(run->translator, now, &run->sink);
    } else if (run->resync_at_ms > 0 && now >= run->resync_at_ms) {
        prompt_resync_advance(run);
    }
}

void prompt_resync_overtaken(struct prompt_run *run)
{
    if (!run->missed)
        return;
    prompt_resync_drop(run);
    run->missed = false;
    if (run->step == PROMPT_STEP_TAKING_OVER)
        run->step = PROMPT_STEP_RUNNING;
}

void prompt_resync_drop(struct prompt_run *run)
{
    message_pages_cancel(run->pages);
    http_request_cancel(run->resync);
    cJSON_Delete(run->stored_messages);
    cJSON_Delete(run->stored_status);
    run->pages = NULL;
    run->resync = NULL;
    run->stored_messages = run->stored_status = NULL;
    prompt_children_drop(run);
    prompt_asks_drop(run); /* they are listed afterwards */
}
