/*
 * What became of a prompt that OpenCode took and shows no sign of (D-02): GET /session/status.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/json.h"

#define STATUS_OK 200

static void on_status(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;
    AUTO_JSON cJSON *status = NULL;

    run->status = NULL;
    if (!response)
        log_at(run->options.log, LOG_WARNING, "bridge.prompt_status_error", LOG_ERR(err));
    else if (response->status != STATUS_OK)
        log_at(run->options.log, LOG_WARNING, "bridge.prompt_status_error",
               LOG_NUM("status_code", response->status));
    else if (run->step == PROMPT_STEP_RUNNING) /* a take-over judges by its own questions */
        status = json_parse_in_place(response->body.data, response->body.len, NULL);
    translator_see_status(run->translator, status, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

void prompt_status_ask(struct prompt_run *run)
{
    struct err err = {0};

    if (run->status || !run->command)
        return;
    run->status = opencode_get_status(run->options.api, on_status, run, &err);
    if (!run->status)
        on_status(run, NULL, &err);
}
