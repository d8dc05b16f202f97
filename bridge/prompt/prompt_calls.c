/*
 * The calls to OpenCode that a prompt makes: post, final fetch.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/clock.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200
#define STATUS_NO_CONTENT 204
#define STATUS_NOT_FOUND 404

#define FETCHES_MAX 4 /* of the final state, when connections break */
#define FETCH_AGAIN_MS 250

#define BODY_MAX_BYTES ((size_t)96 * 1024 * 1024) /* without files: a command, with escapes */
#define ANSWER_SHOWN_MAX 4096                     /* of an error's body, in texts */
#define FAILURE_TEXT_MAX (ANSWER_SHOWN_MAX + 128)

static void fail(struct prompt_run *run, const char *text)
{
    translator_fail(run->translator, text, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

/* ---- post ---- */

static void drop_upload(struct prompt_run *run)
{
    prompt_upload_free(run->upload);
    run->upload = NULL;
}

static void on_refused(struct prompt_run *run, const struct http_response *response)
{
    char text[FAILURE_TEXT_MAX];
    const char *body = buf_text(&response->body);

    /* Given up while the answer was under way: what is left is its end. */
    if (!translator_is_listening(run->translator)) {
        prompt_run_set_step(run, PROMPT_STEP_RUNNING);
        prompt_run_follow_up(run);
        return;
    }
    /* D-29: the session is gone. Once, the prompt goes to a new one. */
    if (response->status == STATUS_NOT_FOUND && !run->posted_twice) {
        run->posted_twice = true;
        run->missed = false; /* nothing of it can have happened */
        opencode_session_forget(run->options.session);
        prompt_run_set_wait(run); /* the first wait may be over */
        prompt_run_set_step(run, PROMPT_STEP_WAITING);
        prompt_run_advance(run);
        return;
    }
    snprintf(text, sizeof text, "%.*s", ANSWER_SHOWN_MAX, body);
    log_at(run->options.log, LOG_ERROR, "bridge.prompt_request_error",
           LOG_NUM("status_code", response->status), LOG_STR("error_body", text));
    snprintf(text, sizeof text, "Async prompt failed: %d - %.*s", response->status,
             ANSWER_SHOWN_MAX, body);
    fail(run, text);
}

static void on_posted(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;

    run->post = NULL;
    if (response && response->status != STATUS_OK && response->status != STATUS_NO_CONTENT)
        run->may_begin = false;
    if (run->step != PROMPT_STEP_POSTING) {
        drop_upload(run);
        /* The prompt was stopped meanwhile; OpenCode may have begun after the abort. */
        prompt_abort_for_good(run, "command");
        return;
    }
    if (response && response->status != STATUS_OK && response->status != STATUS_NO_CONTENT) {
        on_refused(run, response);
        return;
    }
    drop_upload(run);
    prompt_run_set_step(run, PROMPT_STEP_RUNNING);
    if (response) {
        translator_accepted(run->translator, prompt_run_now(run));
        if (!translator_is_listening(run->translator))
            run->aborted = false; /* OpenCode may have begun after the abort */
    } else {
        log_at(run->options.log, LOG_ERROR, "bridge.prompt_request_error", LOG_ERR(err));
        translator_stream_lost(run->translator, prompt_run_now(run), &run->sink);
    }
    prompt_run_follow_up(run);
    prompt_resync_advance(run); /* the stream may have broken meanwhile */
}

/* The body's text without the contents of files, or NULL when it is too long. */
static char *print_body(struct prompt_run *run)
{
    const struct prompt_body_input input = {
        .message_id = run->user_message_id,
        .content = run->prompt.content,
        .model = run->prompt.model,
        .reasoning_effort = run->prompt.reasoning_effort,
        .file_parts = prompt_upload_file_parts(run->upload),
    };
    AUTO_JSON cJSON *body = prompt_body_build(&input);
    AUTO_BUF struct buf text = BUF_INIT(BODY_MAX_BYTES);

    if (body)
        json_print(body, &text);
    return buf_take(&text);
}

/* The body of the post, out of what was prepared. */
static int set_body(struct prompt_run *run, struct err *err)
{
    char *text;

    if (run->preparation) {
        run->upload = prompt_preparation_take_upload(run->preparation);
        prompt_preparation_free(run->preparation);
        run->preparation = NULL;
    }
    text = print_body(run);
    if (!text)
        return err_set(err, ERR_LIMIT, "the prompt is too long");
    return prompt_upload_set_text(run->upload, text, err);
}

static int on_read_body(void *user, size_t offset, char *into, size_t len, struct err *err)
{
    struct prompt_run *run = user;

    return prompt_upload_read(run->upload, offset, into, len, err);
}

static void new_message_id(struct prompt_run *run, uint64_t wall_ms)
{
    uint8_t random[PROMPT_MESSAGE_ID_RANDOM_BYTES];

    random_fill(random, sizeof random);
    message_ids_next(&run->ids, wall_ms, random, run->user_message_id);
}

void prompt_calls_post(struct prompt_run *run)
{
    const char *session_id = opencode_session_id(run->options.session);
    uint64_t wall_ms = clock_wall_ms();
    struct err err = {0};

    new_message_id(run, wall_ms);
    run->posted_wall_ms = wall_ms;
    translator_set_session(run->translator, session_id);
    if (set_body(run, &err) != 0 || translator_start(run->translator, run->user_message_id, wall_ms,
                                                     prompt_run_now(run)) != 0) {
        fail(run, err.class ? err.text : "out of memory");
        return;
    }
    run->heard_ms = prompt_run_now(run);
    run->skipped = event_feed_skipped(run->options.feed);
    /* Written down before it can have an effect: a new bridge then looks for it. */
    journal_prompt_posted(run->options.journal, run->prompt.message_id, session_id,
                          run->user_message_id, wall_ms);
    free(run->posted_session);
    run->posted_session = strdup(session_id);
    run->may_begin = run->posted_session != NULL;
    prompt_run_set_step(run, PROMPT_STEP_POSTING);
    run->post = opencode_post_prompt(run->options.api, session_id, on_read_body, run->upload->len,
                                     run->upload->count, on_posted, run, &err);
    if (!run->post)
        on_posted(run, NULL, &err);
}

const char *prompt_calls_session(const struct prompt_run *run)
{
    const struct journal_prompt *record =
        run->command && run->takes_over ? prompt_run_posted_record(run) : NULL;

    return record ? record->session_id : opencode_session_id(run->options.session);
}

/* ---- final fetch ---- */

static void repair(struct prompt_run *run)
{
    AUTO_JSON cJSON *messages = TAKE_PTR(run->fetched_messages);

    translator_repair(run->translator, messages, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

static void on_fetched(void *user, cJSON *fetched, int status, const struct err *err)
{
    struct prompt_run *run = user;
    AUTO_JSON cJSON *messages = fetched;

    run->fetch = NULL;
    if (!messages && status != 0)
        log_at(run->options.log, LOG_WARNING, "bridge.final_state_fetch_error",
               LOG_NUM("status_code", status));
    else if (!messages)
        log_at(run->options.log, LOG_ERROR, "bridge.final_state_error", LOG_ERR(err));
    /* A connection that broke is no answer; the stream may be about to break as well. */
    if (!messages && err->class == ERR_NETWORK && ++run->fetch_count < FETCHES_MAX) {
        run->fetch_at_ms = prompt_run_now(run) + FETCH_AGAIN_MS;
        prompt_run_set_step(run, run->step);
        return;
    }
    if (event_feed_skipped(run->options.feed) != run->skipped) {
        run->children_missed = true;
        translator_on_gap(run->translator);
    }
    cJSON_Delete(run->fetched_messages);
    run->fetched_messages = TAKE_PTR(messages);
    prompt_children_read(run, run->fetched_messages, repair);
}

void prompt_calls_fetch(struct prompt_run *run)
{
    const char *session_id = prompt_calls_session(run);
    struct err err = {0};

    if (run->fetch || run->fetched_messages || !run->command)
        return;
    run->fetch_at_ms = UINT64_MAX;
    prompt_resync_overtaken(run);
    if (session_id)
        run->fetch = message_pages_read(
            run->options.api, session_id,
            &(struct message_pages_since){run->user_message_id, run->posted_wall_ms}, on_fetched,
            run, &err);
    else
        err_set(&err, ERR_INTERNAL, "there is no OpenCode session");
    if (!run->fetch)
        on_fetched(run, NULL, 0, &err);
}

void prompt_calls_drop(struct prompt_run *run)
{
    message_pages_cancel(run->fetch);
    http_request_cancel(run->status);
    run->fetch = NULL;
    run->status = NULL;
    prompt_resync_drop(run);
    cJSON_Delete(run->fetched_messages);
    run->fetched_messages = NULL;
    run->missed = run->children_missed = false;
    prompt_preparation_free(run->preparation);
    run->preparation = NULL;
    if (!run->post)
        drop_upload(run);
    run->fetch_after_abort = false;
    run->fetch_at_ms = UINT64_MAX;
    run->fetch_count = 0;
}
