#include "bridge/prompt/prompt_run_private.h"

#include "bridge/prompt/prompt_notes.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILURE_TEXT_MAX (ERR_TEXT_MAX + 128)
#define MS_PER_SECOND 1000u

uint64_t prompt_run_now(const struct prompt_run *run)
{
    return uv_now(run->options.loop);
}

static void on_translated(void *user, cJSON *event)
{
    struct prompt_run *run = user;

    run->options.on_event(run->options.user, event);
}

static void on_note(void *user, enum log_level level, const char *name, const cJSON *fields)
{
    struct prompt_run *run = user;

    if (strcmp(name, "prompt.no_output") == 0)
        log_at(run->options.log, level, name, LOG_STR("message_id", run->prompt.message_id),
               LOG_STR("model", run->prompt.model),
               LOG_STR("reasoning_effort", run->prompt.reasoning_effort));
    else
        prompt_notes_log(run->options.log, level, name, fields);
}

static void on_ask(void *user, enum translator_ask_kind kind, const char *id)
{
    prompt_asks_reject(user, kind, id);
}

struct prompt_run *prompt_run_new(const struct prompt_run_options *options)
{
    struct prompt_run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    run->options = *options;
    run->opencode_ready = true;
    run->fetch_at_ms = run->abort_at_ms = run->children_until_ms = UINT64_MAX;
    run->asks.list_at_ms = UINT64_MAX;
    run->sink = (struct translator_sink){
        .user = run, .on_event = on_translated, .on_note = on_note, .on_ask = on_ask};
    run->translator = translator_new(&options->limits);
    if (!run->translator) {
        free(run);
        return NULL;
    }
    uv_timer_init(options->loop, &run->timer);
    run->timer.data = run;
    return run;
}

const struct journal_prompt *prompt_run_posted_record(const struct prompt_run *run)
{
    const struct journal_prompt *record = journal_contents(run->options.journal)->prompts;

    while (record && strcmp(record->message_id, run->prompt.message_id) != 0)
        record = record->next;
    return record && record->user_message_id ? record : NULL;
}

/* ---- clocks ---- */

static void on_timer(uv_timer_t *timer);
static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static void arm(struct prompt_run *run)
{
    uint64_t now = prompt_run_now(run), deadline = run->abort_at_ms;

    uv_timer_stop(&run->timer);
    if (run->step == PROMPT_STEP_WAITING) {
        deadline = earlier(deadline, run->wait_until_ms);
    } else if (run->step != PROMPT_STEP_NONE) {
        deadline = earlier(deadline, translator_deadline(run->translator));
        deadline = earlier(deadline, prompt_resync_deadline(run));
        deadline = earlier(deadline, prompt_asks_deadline(run));
        deadline = earlier(deadline, run->fetch_at_ms);
        deadline = earlier(deadline, run->children_until_ms);
    }
    if (deadline == UINT64_MAX)
        return;
    /* Also one that is over: answers may come before the timer does. */
    run->timer_due_ms = deadline;
    uv_timer_start(&run->timer, on_timer, deadline > now ? deadline - now : 0, 0);
}

static void on_waited_too_long(struct prompt_run *run)
{
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof text, "OpenCode could not be reached within %llu s.",
             (unsigned long long)(run->options.opencode_limit_ms / MS_PER_SECOND));
    translator_fail(run->translator, text, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

static void on_timer(uv_timer_t *timer)
{
    struct prompt_run *run = timer->data;
    uint64_t now = prompt_run_now(run);

    prompt_abort_tick(run, now);
    if (run->step == PROMPT_STEP_WAITING && run->wait_until_ms <= now) {
        on_waited_too_long(run);
        return;
    }
    if (run->step <= PROMPT_STEP_WAITING) {
        arm(run);
        return;
    }
    prompt_silence_tick(run, now);
    if (translator_deadline(run->translator) <= now)
        translator_tick(run->translator, now, &run->sink);
    prompt_children_tick(run, now);
    prompt_resync_tick(run, now);
    prompt_asks_tick(run, now);
    if (run->fetch_at_ms <= now)
        prompt_calls_fetch(run);
    prompt_run_follow_up(run);
}

void prompt_run_set_step(struct prompt_run *run, enum prompt_step step)
{
    run->step = step;
    arm(run);
}

/* ---- the end of a prompt ---- */

static const char *outcome_name(enum translator_result result)
{
    switch (result) {
    case TRANSLATOR_SUCCEEDED:
        return "success";
    case TRANSLATOR_CANCELLED:
        return "cancelled"; /* D-35 */
    default:
        return "error";
    }
}

static void finish(struct prompt_run *run)
{
    struct translator_outcome outcome = translator_outcome(run->translator);
    cJSON *command;

    if (outcome.was_ended) /* B-316: before prompt.run, and not of what OpenCode itself reported */
        log_at(run->options.log, LOG_ERROR, "prompt.error",
               LOG_STR("message_id", run->prompt.message_id),
               LOG_STR("error_message", outcome.error));
    log_at(run->options.log, LOG_INFO, "prompt.run", LOG_STR("message_id", run->prompt.message_id),
           LOG_STR("model", run->prompt.model),
           LOG_STR("reasoning_effort", run->prompt.reasoning_effort),
           LOG_STR("outcome", outcome_name(outcome.result)),
           LOG_NUM("duration_ms", prompt_run_now(run) - run->begun_ms));
    prompt_calls_drop(run);
    if (run->step == PROMPT_STEP_CREATING)
        opencode_session_cancel_create(run->options.session);
    journal_prompt_ended(run->options.journal, run->prompt.message_id);
    command = TAKE_PTR(run->command);
    prompt_run_set_step(run, PROMPT_STEP_NONE);
    run->options.on_running(run->options.user, run->prompt.message_id, false);
    cJSON_Delete(command);
    prompt_run_begin_next(run);
    prompt_run_tell_quiet(run);
}

void prompt_run_follow_up(struct prompt_run *run)
{
    struct translator_wants wants = translator_take_wants(run->translator);

    if (wants.abort_reason)
        prompt_abort_send(run, wants.abort_reason, wants.fetch);
    else if (wants.fetch)
        prompt_calls_fetch(run);
    if (wants.status)
        prompt_status_ask(run);
    if (!run->command || !translator_is_done(run->translator)) {
        arm(run);
        return;
    }
    /* OpenCode says that a turn failed before it has put it away; a prompt that is posted in between
     * is stored and never run. The answer to an abort comes when it is over, and the next prompt
     * waits for that. */
    if (run->step == PROMPT_STEP_RUNNING && !run->aborted && run->opencode_ready &&
        translator_outcome(run->translator).result == TRANSLATOR_FAILED)
        prompt_abort_send(run, "failed", false);
    finish(run);
}

/* ---- the way of a prompt ---- */

static void on_session_created(void *user, const char *id, const struct err *err)
{
    struct prompt_run *run = user;

    if (run->step != PROMPT_STEP_CREATING)
        return;
    if (id) {
        prompt_calls_post(run);
        return;
    }
    translator_fail(run->translator, err->text, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

static void leave_waiting(struct prompt_run *run)
{
    const struct journal_prompt *record = run->takes_over ? prompt_run_posted_record(run) : NULL;

    if (record) {
        prompt_resync_take_over(run, record);
    } else if (opencode_session_id(run->options.session)) {
        prompt_calls_post(run);
    } else {
        prompt_run_set_step(run, PROMPT_STEP_CREATING);
        opencode_session_create(run->options.session, on_session_created, run);
    }
}

void prompt_run_advance(struct prompt_run *run)
{
    struct opencode_session *session = run->options.session;

    if (run->step == PROMPT_STEP_NONE) {
        /* Titles of the session count between prompts too. */
        if (opencode_session_is_settled(session) && opencode_session_id(session))
            translator_set_session(run->translator, opencode_session_id(session));
        return;
    }
    prompt_resync_advance(run);
    if (run->step != PROMPT_STEP_WAITING || !run->opencode_ready || !prompt_run_is_prepared(run))
        return;
    /* An abort that is under way would hit the new prompt as well. */
    if (prompt_abort_is_under_way(run) || run->post || !event_feed_is_up(run->options.feed) ||
        !opencode_session_is_settled(session))
        return;
    leave_waiting(run);
}

void prompt_run_set_wait(struct prompt_run *run)
{
    bool prepares = run->preparation && !prompt_preparation_is_done(run->preparation);

    run->wait_until_ms = run->opencode_ready && !prepares
                             ? prompt_run_now(run) + run->options.opencode_limit_ms
                             : UINT64_MAX;
}

void prompt_run_begin_next(struct prompt_run *run)
{
    if (run->command || run->holding || run->ending)
        return;
    run->command = prompt_queue_take(&run->queue);
    if (!run->command)
        return;
    run->prompt = command_prompt(run->command);
    run->begun_ms = prompt_run_now(run);
    run->posted_twice = run->aborted = false;
    run->takes_over = prompt_run_posted_record(run) != NULL;
    log_at(run->options.log, LOG_INFO, "prompt.start",
           LOG_STR("message_id", run->prompt.message_id), LOG_STR("model", run->prompt.model),
           LOG_STR("reasoning_effort", run->prompt.reasoning_effort),
           LOG_BOOL("taken_over", run->takes_over));
    run->options.on_running(run->options.user, run->prompt.message_id, true);
    prompt_run_set_wait(run);
    prompt_run_set_step(run, PROMPT_STEP_WAITING);
    if (translator_begin(run->translator, run->prompt.message_id, prompt_run_now(run)) != 0) {
        prompt_run_complete_unrun(run, run->command, "out of memory");
        finish(run);
        return;
    }
    prompt_run_advance(run);
}

bool prompt_run_is_quiet(const struct prompt_run *run)
{
    return !run->command && !prompt_abort_is_under_way(run) && !run->post;
}

void prompt_run_tell_quiet(struct prompt_run *run)
{
    if (prompt_run_is_quiet(run))
        run->options.on_quiet(run->options.user);
}

bool prompt_run_is_running(const struct prompt_run *run)
{
    return run->command != NULL;
}

/* ---- what OpenCode does ---- */

/* With OpenCode's process the run ended that worked on the prompt. One that is being taken over is
 * asked after when OpenCode is back. */
static void on_opencode_gone(struct prompt_run *run)
{
    if (run->step == PROMPT_STEP_TAKING_OVER) {
        prompt_resync_wait(run);
        return;
    }
    translator_fail(run->translator,
                    "OpenCode stopped in the middle of this prompt; what it had written is kept.",
                    prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

void prompt_run_set_opencode_ready(struct prompt_run *run, bool ready)
{
    if (run->opencode_ready == ready)
        return;
    run->opencode_ready = ready;
    if (run->step == PROMPT_STEP_WAITING) {
        prompt_run_set_wait(run);
        arm(run);
        prompt_run_advance(run);
    } else if (!ready && run->step > PROMPT_STEP_CREATING) {
        on_opencode_gone(run);
    } else if (ready && run->missed) {
        prompt_resync_wait(run);
    }
}

void prompt_run_on_feed_event(struct prompt_run *run, char *data, size_t len)
{
    AUTO_JSON cJSON *event = json_parse_in_place(data, len, NULL);

    if (!event)
        return; /* B-522 */
    prompt_abort_on_event(run, event);
    translator_feed(run->translator, event, len, prompt_run_now(run), &run->sink);
    if (run->command)
        prompt_run_follow_up(run);
}

void prompt_run_on_feed_down(struct prompt_run *run, bool was_up, int status, const struct err *err)
{
    char text[FAILURE_TEXT_MAX];

    if (!run->command)
        return;
    if (was_up && run->step > PROMPT_STEP_CREATING) {
        log_at(run->options.log, LOG_WARNING, "bridge.sse_lost", LOG_ERR(err));
        if (translator_is_listening(run->translator))
            prompt_resync_wait(run);
    } else if (run->step == PROMPT_STEP_WAITING && status != 0) {
        snprintf(text, sizeof text, "SSE connection failed: %d", status);
        translator_fail(run->translator, text, prompt_run_now(run), &run->sink);
        prompt_run_follow_up(run);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct prompt_run *run = handle->data;

    translator_free(run->translator);
    free(run);
}

void prompt_run_close(struct prompt_run *run)
{
    if (!run)
        return;
    http_request_cancel(run->post);
    run->post = NULL;
    prompt_abort_drop(run);
    prompt_calls_drop(run);
    prompt_queue_clear(&run->queue);
    cJSON_Delete(run->command);
    run->command = NULL;
    uv_close((uv_handle_t *)&run->timer, on_closed);
}
