/*
 * Breaks off what OpenCode does in the session. An abort that meets a post under way answers "true" and
 * stops nothing, and neither does one that comes between the post's answer and the begin of the work. So
 * a stop's abort is checked: GET /session/status, and another one while the session works, a few times.
 * A cold OpenCode begins seconds after it took the post, and says "idle" until then: so "idle" counts
 * only when the prompt was seen to work, or after a while; a work that begins still later is broken off
 * when the event stream tells of it.
 * All of it is in the background; only the next prompt waits for it.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200

#define ABORTS_MAX 5        /* of one stop; the waits between them double */
#define ABORTS_MAX_UNSEEN 6 /* of a prompt that did not work yet: more than 6 s in all */
#define ABORT_AGAIN_MS 200

bool prompt_abort_is_under_way(const struct prompt_run *run)
{
    return run->abort || run->abort_status || run->abort_at_ms != UINT64_MAX;
}

static void end(struct prompt_run *run)
{
    run->abort_for_good = false;
    run->abort_at_ms = UINT64_MAX;
    run->abort_count = 0;
    prompt_run_advance(run);
    prompt_run_tell_quiet(run);
}

static void wait_for_another(struct prompt_run *run)
{
    if (run->ending) {
        end(run);
        return;
    }
    run->abort_at_ms = prompt_run_now(run) + ((uint64_t)ABORT_AGAIN_MS << (run->abort_count - 1));
    prompt_run_set_step(run, run->step);
}

static void plan_another(struct prompt_run *run)
{
    run->may_begin = false; /* it works */
    if (run->abort_count < ABORTS_MAX) {
        wait_for_another(run);
        return;
    }
    log_at(run->options.log, LOG_WARNING, "bridge.stop_unheeded",
           LOG_STR("session_id", run->abort_session), LOG_NUM("abort_count", run->abort_count));
    end(run);
}

/* ---- did it help? ---- */

static void on_status(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;
    AUTO_JSON cJSON *status = NULL;
    const char *type;

    run->abort_status = NULL;
    if (response && response->status == STATUS_OK && response->body.data)
        status = json_parse_in_place(response->body.data, response->body.len, NULL);
    if (!cJSON_IsObject(status)) {
        if (response)
            log_at(run->options.log, LOG_WARNING, "bridge.stop_check_error",
                   LOG_NUM("status_code", response->status));
        else
            log_at(run->options.log, LOG_WARNING, "bridge.stop_check_error", LOG_ERR(err));
        end(run);
        return;
    }
    type = json_get_string(json_get(status, run->abort_session), "type");
    if (type && strcmp(type, "idle") != 0)
        plan_another(run);
    else if (run->may_begin && run->abort_count < ABORTS_MAX_UNSEEN)
        wait_for_another(run);
    else
        end(run);
}

static void check(struct prompt_run *run)
{
    struct err err = {0};

    run->abort_status = opencode_get_status(run->options.api, on_status, run, &err);
    if (!run->abort_status)
        on_status(run, NULL, &err);
}

/* ---- the call ---- */

static void start(struct prompt_run *run);

static void on_aborted(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;
    bool again = run->abort_again;

    run->abort = NULL;
    run->abort_again = false;
    if (response)
        log_at(run->options.log, LOG_INFO, "bridge.stop_requested",
               LOG_STR("reason", run->abort_reason));
    else
        log_at(run->options.log, LOG_WARNING, "bridge.stop_request_error",
               LOG_STR("reason", run->abort_reason), LOG_ERR(err));
    if (run->fetch_after_abort) {
        run->fetch_after_abort = false;
        prompt_calls_fetch(run);
    }
    if (again)
        start(run);
    else if (response && run->abort_for_good && !run->ending) /* else it is gone or hangs */
        check(run);
    else
        end(run);
}

static void start(struct prompt_run *run)
{
    struct err err = {0};

    run->abort_at_ms = UINT64_MAX;
    run->abort_met_post = run->post != NULL;
    run->abort_count++;
    if (run->abort_session)
        run->abort = opencode_abort(run->options.api, run->abort_session, on_aborted, run, &err);
    else
        err_set(&err, ERR_INTERNAL, "there is no OpenCode session");
    if (!run->abort)
        on_aborted(run, NULL, &err);
}

void prompt_abort_send(struct prompt_run *run, const char *reason, bool then_fetch)
{
    const char *session_id = prompt_calls_session(run);

    run->fetch_after_abort |= then_fetch;
    /* A post that outlived its prompt is aborted too, when the next one may be waiting already. */
    if (run->step > PROMPT_STEP_CREATING)
        run->aborted = true;
    if (run->abort) {
        run->abort_again |= run->abort_met_post && !run->post;
        return;
    }
    http_request_cancel(run->abort_status);
    run->abort_status = NULL;
    run->abort_reason = reason;
    /* A prompt that was taken over takes its session's id with it. */
    free(run->abort_session);
    run->abort_session = session_id ? strdup(session_id) : NULL;
    run->abort_count = 0;
    start(run);
}

void prompt_abort_for_good(struct prompt_run *run, const char *reason)
{
    run->abort_for_good = true;
    prompt_abort_send(run, reason, false);
}

void prompt_abort_on_event(struct prompt_run *run, const cJSON *event)
{
    const cJSON *properties = json_get(event, "properties");
    const char *type = json_get_string(event, "type");
    const char *session = json_get_string(properties, "sessionID");
    const char *status = json_get_string(json_get(properties, "status"), "type");

    if (!run->may_begin || !type || strcmp(type, "session.status") != 0 || !status ||
        strcmp(status, "idle") == 0 || !session || strcmp(session, run->posted_session) != 0)
        return;
    run->may_begin = false;
    if (run->step < PROMPT_STEP_POSTING && !run->ending && run->abort_session &&
        strcmp(session, run->abort_session) == 0)
        prompt_abort_for_good(run, run->abort_reason);
}

void prompt_abort_tick(struct prompt_run *run, uint64_t now)
{
    if (run->abort_at_ms <= now)
        start(run);
}

void prompt_abort_hurry(struct prompt_run *run)
{
    run->abort_for_good = false;
    if (run->abort_at_ms != UINT64_MAX)
        start(run);
}

void prompt_abort_drop(struct prompt_run *run)
{
    http_request_cancel(run->abort);
    http_request_cancel(run->abort_status);
    run->abort = run->abort_status = NULL;
    free(run->abort_session);
    free(run->posted_session);
    run->abort_session = run->posted_session = NULL;
    run->abort_at_ms = UINT64_MAX;
}
