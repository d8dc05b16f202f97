/*
 * How prompts come in, are prepared and called off: the queue, the journal's debts, stop, the
 * process's end.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define CANCELLED_TEXT "Task was cancelled"
#define FAILURE_TEXT_MAX 128

void prompt_run_complete_unrun(struct prompt_run *run, const cJSON *command, const char *error)
{
    cJSON *event = cJSON_CreateObject();

    json_add_string(event, "type", "execution_complete");
    json_add_string(event, "messageId", command_prompt(command).message_id);
    json_add_bool(event, "success", false);
    json_add_string(event, "error", error);
    run->options.on_event(run->options.user, event);
}

static void fail(struct prompt_run *run, const char *error)
{
    translator_fail(run->translator, error, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

static void on_prepared(void *user, const char *error)
{
    struct prompt_run *run = user;

    if (error) {
        fail(run, error);
        return;
    }
    prompt_run_set_wait(run);
    prompt_run_set_step(run, PROMPT_STEP_WAITING);
    prompt_run_advance(run);
}

bool prompt_run_is_prepared(struct prompt_run *run)
{
    struct err err = {0};

    /* What an earlier bridge posted, or what goes to a second session, was prepared. */
    if (run->takes_over || run->posted_twice)
        return true;
    if (!run->preparation) {
        run->preparation = prompt_preparation_start(&run->options.preparation, &run->prompt,
                                                    on_prepared, run, &err);
        if (!run->preparation) {
            fail(run, err.text);
            return false;
        }
        prompt_run_set_wait(run);
        prompt_run_set_step(run, PROMPT_STEP_WAITING);
    }
    return prompt_preparation_is_done(run->preparation);
}

static void enqueue(struct prompt_run *run, cJSON *command)
{
    char text[FAILURE_TEXT_MAX];

    if (prompt_queue_add(&run->queue, command) != 0) {
        snprintf(text, sizeof text, "%d prompts are waiting already; this one was not run.",
                 PROMPT_QUEUE_MAX);
        prompt_run_complete_unrun(run, command, text);
        cJSON_Delete(command);
    }
    prompt_run_begin_next(run);
}

static bool is_known(const struct prompt_run *run, const char *message_id)
{
    if (strcmp(message_id, COMMAND_NO_MESSAGE_ID) == 0)
        return false; /* no id: nothing can be told of it */
    return (run->command && strcmp(run->prompt.message_id, message_id) == 0) ||
           prompt_queue_has(&run->queue, message_id);
}

void prompt_run_take(struct prompt_run *run, cJSON *command)
{
    const char *message_id = command_prompt(command).message_id;

    /* Delivered twice: one completion answers both. */
    if (is_known(run, message_id)) {
        log_at(run->options.log, LOG_WARNING, "bridge.duplicate_prompt",
               LOG_STR("message_id", message_id));
        cJSON_Delete(command);
        return;
    }
    if (run->ending) {
        prompt_run_complete_unrun(run, command, CANCELLED_TEXT);
        cJSON_Delete(command);
        return;
    }
    journal_prompt_taken(run->options.journal, message_id, command);
    enqueue(run, command);
}

void prompt_run_resume(struct prompt_run *run)
{
    const struct journal_prompt *record = journal_contents(run->options.journal)->prompts, *next;

    for (; record; record = next) {
        cJSON *command = json_parse(record->command, strlen(record->command), NULL);

        next = record->next;
        if (command)
            enqueue(run, command);
    }
}

/* Ends the current prompt and all that wait. `error` NULL: they count as cancelled. */
static void end_all(struct prompt_run *run, const char *error)
{
    uint64_t now = prompt_run_now(run);
    cJSON *command;

    run->holding = true;
    if (run->command) {
        if (error)
            translator_fail(run->translator, error, now, &run->sink);
        else
            translator_cancel(run->translator, now, &run->sink);
        prompt_run_follow_up(run);
    }
    while ((command = prompt_queue_take(&run->queue))) {
        prompt_run_complete_unrun(run, command, error ? error : CANCELLED_TEXT);
        cJSON_Delete(command);
    }
    run->holding = false;
}

void prompt_run_stop(struct prompt_run *run)
{
    /* First: the session of a prompt that was taken over is known only as long as the prompt is. */
    if ((run->command && run->takes_over) || opencode_session_id(run->options.session))
        prompt_abort_for_good(run, "command");
    end_all(run, NULL);
}

void prompt_run_wind_down(struct prompt_run *run, const char *error)
{
    run->ending = true;
    prompt_abort_hurry(run);
    if (run->step > PROMPT_STEP_CREATING)
        prompt_abort_send(run, "shutdown", false);
    end_all(run, error);
}
