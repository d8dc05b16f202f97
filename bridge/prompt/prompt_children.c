/*
 * What child sessions did while nobody listened: their messages are read, one session after the other,
 * and given to the translator. It is worth a few requests, no more: what cannot be read, or not in time,
 * is left out, and the prompt goes on.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

#define CHILDREN_MAX 32 /* of one prompt, those below them included */
#define CHILDREN_LIMIT_MS 10000

static void find(struct prompt_run *run, const char *session, const cJSON *messages)
{
    translator_find_children(run->translator, session, messages, run->children, prompt_run_now(run),
                             &run->sink);
}

static void end(struct prompt_run *run)
{
    prompt_children_fn *then = run->children_then;

    prompt_children_drop(run);
    run->children_missed = false;
    then(run);
}

static void read_next(struct prompt_run *run);

static void on_messages(void *user, cJSON *fetched, int status, const struct err *err)
{
    struct prompt_run *run = user;
    AUTO_JSON cJSON *messages = fetched;
    const char *child = cJSON_GetArrayItem(run->children, run->children_read++)->valuestring;
    const struct translator_stored stored = {.messages = messages, .omits_steps = run->takes_over};

    run->children_pages = NULL;
    if (!messages)
        log_at(run->options.log, LOG_WARNING, "bridge.child_resync_error",
               LOG_STR("child_session_id", child), LOG_NUM("status_code", status), LOG_ERR(err));
    find(run, child, messages);
    translator_resync_child(run->translator, child, &stored, prompt_run_now(run), &run->sink);
    read_next(run);
}

static void read_next(struct prompt_run *run)
{
    const cJSON *child = run->children_read < CHILDREN_MAX
                             ? cJSON_GetArrayItem(run->children, run->children_read)
                             : NULL;
    const struct message_pages_since since = {run->user_message_id, run->posted_wall_ms};
    struct err err = {0};

    if (!child) {
        end(run);
        return;
    }
    run->children_pages =
        message_pages_read(run->options.api, child->valuestring, &since, on_messages, run, &err);
    if (!run->children_pages)
        on_messages(run, NULL, 0, &err);
}

void prompt_children_read(struct prompt_run *run, const cJSON *messages, prompt_children_fn *then)
{
    const char *session_id = prompt_calls_session(run);

    prompt_children_drop(run);
    run->children_then = then;
    run->children = cJSON_CreateArray();
    run->children_until_ms = prompt_run_now(run) + CHILDREN_LIMIT_MS;
    if (run->children_missed && session_id)
        find(run, session_id, messages);
    prompt_run_set_step(run, run->step); /* the limit */
    read_next(run);
}

void prompt_children_drop(struct prompt_run *run)
{
    message_pages_cancel(run->children_pages);
    cJSON_Delete(run->children);
    run->children_pages = NULL;
    run->children = NULL;
    run->children_read = 0;
    run->children_until_ms = UINT64_MAX;
}

void prompt_children_tick(struct prompt_run *run, uint64_t now)
{
    if (!run->children || now < run->children_until_ms)
        return;
    log_at(run->options.log, LOG_WARNING, "bridge.child_resync_error",
           LOG_STR("detail", "OpenCode's answers take too long; the rest is left out"));
    end(run);
}
