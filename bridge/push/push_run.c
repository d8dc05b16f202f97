#include "bridge/push/push_run.h"

#include "bridge/push/checkout.h"
#include "bridge/push/push_request.h"
#include "bridge/push/push_worker_process.h"
#include "common/clock.h"
#include "common/env.h"
#include "common/json.h"
#include "common/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_SECOND 1000.0
#define TEXT_MAX_BYTES ((size_t)16 * 1024)
#define OLDER_FAILURE "Push failed - authentication may be required"
#define BRIDGE_DIED_TEXT                                                                           \
    "Push failed - the bridge was restarted during the push; the branch may have arrived or not, " \
    "so push again"
#define SHUTDOWN_TEXT "Push failed - the sandbox is shutting down"

/* Half of what stands behind the colon of an ackId (B-430). */
#define PUSH_ID_BYTES 8
#define PUSH_ID_SIZE (2 * PUSH_ID_BYTES + 1)
#define PUSH_ACK_ID_MAX 64

struct push_run {
    struct push_run *next;
    struct push_runs *runs;
    char id[PUSH_ID_SIZE]; /* in the journal and in the answer's ackId */
    struct push_request request;
    char *path;
    struct push_worker_process *worker; /* NULL: waits for its checkout */
};

struct push_runs {
    struct push_runs_options options;
    struct push_run *first;
    size_t count;
    bool ending;
};

static void start_waiting(struct push_runs *runs);

struct push_runs *push_runs_new(const struct push_runs_options *options)
{
    struct push_runs *runs = calloc(1, sizeof *runs);

    if (runs)
        runs->options = *options;
    return runs;
}

/* Appended to lines about this push. */
#define REQUEST_FIELDS(request)                                                         \
    LOG_STR("branch_name", (request)->branch), LOG_STR("repo_owner", (request)->owner), \
        LOG_STR("repo_name", (request)->name)

static cJSON *event_now(const struct push_request *request, const char *error)
{
    return push_event(request, error, (double)clock_wall_ms() / MS_PER_SECOND);
}

/* Sends the event under the ackId by which the journal knows that the push is answered. */
static void send_answer(struct push_runs *runs, const char *push_id, cJSON *event)
{
    char ack_id[PUSH_ACK_ID_MAX];

    snprintf(ack_id, sizeof ack_id, "%s:%s", json_get_string(event, "type"), push_id);
    json_put(event, "ackId", cJSON_CreateString(ack_id));
    runs->options.on_event(runs->options.user, event);
}

static void answer(struct push_run *run, const char *error)
{
    send_answer(run->runs, run->id, event_now(&run->request, error));
}

static void refuse(struct push_runs *runs, const struct push_request *request, const char *text,
                   const char *reason)
{
    log_at(runs->options.log, LOG_WARNING, "git.push_error", LOG_STR("reason", reason),
           REQUEST_FIELDS(request));
    runs->options.on_event(runs->options.user, event_now(request, text));
}

static void run_free(struct push_run *run)
{
    push_request_clear(&run->request);
    free(run->path);
    free(run);
}

/* Takes the run out of the list and frees it. */
static void forget(struct push_run *run)
{
    struct push_run **link = &run->runs->first;

    while (*link != run)
        link = &(*link)->next;
    *link = run->next;
    run->runs->count--;
    run_free(run);
}

/* ---- the worker's end ---- */

static void report_timeout(struct push_run *run, uint64_t limit_ms)
{
    char text[ERR_TEXT_MAX];

    log_at(run->runs->options.log, LOG_WARNING, "git.push_timeout", REQUEST_FIELDS(&run->request),
           LOG_NUM("timeout_ms", limit_ms));
    snprintf(text, sizeof text, "Push failed - git push timed out after %.0fs",
             (double)limit_ms / MS_PER_SECOND);
    answer(run, text);
}

static void report_failure(struct push_run *run, const struct push_result *result)
{
    AUTO_BUF struct buf clean = BUF_INIT(TEXT_MAX_BYTES);
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    push_redact(&run->request, result->error, &clean);
    log_at(run->runs->options.log, LOG_WARNING, "git.push_failed", REQUEST_FIELDS(&run->request),
           LOG_STR("stderr", buf_text(&clean)), LOG_STR("git_for", result->git_for));
    /* The older contract's text is the same for every reason (B-844). */
    if (run->request.older_contract)
        buf_puts(&text, OLDER_FAILURE);
    else if (clean.len > 0)
        buf_printf(&text, "Push failed: %s", buf_text(&clean));
    else
        buf_puts(&text, "Push failed - unknown error");
    answer(run, buf_text(&text));
}

static void on_worker_done(void *user, const struct push_result *result)
{
    struct push_run *run = user;
    struct push_runs *runs = run->runs;

    if (result->ok) {
        log_at(runs->options.log, LOG_INFO, "git.push_complete", REQUEST_FIELDS(&run->request),
               LOG_STR("git_for", result->git_for));
        answer(run, NULL);
    } else if (result->timed_out) {
        report_timeout(run, result->limit_ms);
    } else {
        report_failure(run, result);
    }
    forget(run);
    start_waiting(runs);
}

/* ---- start ---- */

static bool is_checkout_busy(const struct push_runs *runs, const char *path)
{
    for (const struct push_run *run = runs->first; run; run = run->next) {
        if (run->worker && strcmp(run->path, path) == 0)
            return true;
    }
    return false;
}

/* Returns false when the run is over already. */
static bool start_worker(struct push_run *run)
{
    const struct push_runs_options *options = &run->runs->options;
    const struct push_worker_input input = {
        .loop = options->loop,
        .log = options->log,
        .path = run->path,
        .remote_url = run->request.remote_url,
        .refspec = run->request.refspec,
        .force = run->request.force,
        .limit_ms = run->request.older_contract ? options->legacy_limit_ms : options->limit_ms,
        .kill_ms = options->kill_ms,
    };
    struct err err = {0};

    log_at(options->log, LOG_INFO, "git.push_command", LOG_STR("branch_name", run->request.branch),
           LOG_STR("refspec", run->request.refspec), LOG_BOOL("force", run->request.force),
           LOG_STR("remote_url", run->request.redacted_remote_url));
    run->worker = push_worker_process_start(&input, on_worker_done, run, &err);
    if (run->worker)
        return true;
    log_at(options->log, LOG_ERROR, "git.push_error", REQUEST_FIELDS(&run->request), LOG_ERR(&err));
    answer(run, err.text);
    forget(run);
    return false;
}

static void start_waiting(struct push_runs *runs)
{
    struct push_run *next;

    for (struct push_run *run = runs->first; run; run = next) {
        next = run->next;
        if (!run->worker && !is_checkout_busy(runs, run->path))
            start_worker(run);
    }
}

/* From here on the push is answered whatever happens to this process. */
static void note(struct push_run *run)
{
    AUTO_JSON cJSON *owed = push_event(&run->request, BRIDGE_DIED_TEXT, 0);

    random_hex(run->id, PUSH_ID_BYTES);
    cJSON_DeleteItemFromObjectCaseSensitive(owed, "timestamp"); /* it gets that of its sending */
    journal_push_started(run->runs->options.journal, run->id, owed);
}

static void append(struct push_runs *runs, struct push_run *run)
{
    struct push_run **link = &runs->first;

    while (*link)
        link = &(*link)->next;
    *link = run;
    runs->count++;
}

static struct push_run *run_new(struct push_runs *runs, const cJSON *command)
{
    const struct push_fallbacks fallbacks = {
        .owner = env_get("REPO_OWNER"),
        .name = env_get("REPO_NAME"),
        .token = env_get("GITHUB_APP_TOKEN"),
    };
    struct push_run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    run->runs = runs;
    if (push_request_parse(command, &fallbacks, &run->request) != 0) {
        free(run);
        return NULL;
    }
    return run;
}

/* False, and the refusal sent, when the push cannot be tried. */
static bool choose_checkout(struct push_run *run)
{
    struct push_runs *runs = run->runs;
    AUTO_MANIFEST struct manifest manifest = {0};
    struct push_refusal refusal = push_request_check(&run->request);
    const char *reason = NULL;
    struct err err = {0};

    /* The older contract looks for the checkout first (B-841). */
    if (refusal.text && !run->request.older_contract) {
        refuse(runs, &run->request, refusal.text, refusal.reason);
        return false;
    }
    manifest_read(runs->options.manifest_path, &manifest);
    run->path = checkout_find(&run->request, &manifest, runs->options.workspace, &reason, &err);
    if (!run->path) {
        refuse(runs, &run->request, err.text, reason);
        return false;
    }
    if (refusal.text) {
        refuse(runs, &run->request, refusal.text, refusal.reason);
        return false;
    }
    return true;
}

void push_runs_start(struct push_runs *runs, const cJSON *command)
{
    struct push_run *run = run_new(runs, command);

    if (!run) {
        log_at(runs->options.log, LOG_ERROR, "git.push_error",
               LOG_STR("error_message", "out of memory"));
        return;
    }
    log_at(runs->options.log, LOG_INFO, "git.push_start", REQUEST_FIELDS(&run->request),
           LOG_STR("mode", run->request.older_contract ? "legacy" : "push_spec"),
           LOG_STR("token_source", run->request.token_source));
    if (runs->ending) {
        refuse(runs, &run->request, SHUTDOWN_TEXT, "shutting_down");
        run_free(run);
        return;
    }
    if (runs->count == PUSH_RUNS_MAX) {
        refuse(runs, &run->request, "Push failed - too many pushes are waiting", "too_many");
        run_free(run);
        return;
    }
    if (!choose_checkout(run)) {
        run_free(run);
        return;
    }
    note(run);
    append(runs, run);
    start_waiting(runs);
}

void push_runs_refuse(struct push_runs *runs, const cJSON *command, const char *error,
                      const char *reason)
{
    struct push_run *run = run_new(runs, command);

    if (!run)
        return;
    refuse(runs, &run->request, error, reason);
    run_free(run);
}

void push_runs_resume(struct push_runs *runs)
{
    const struct journal_push *push = journal_contents(runs->options.journal)->pushes, *next;

    for (; push; push = next) {
        cJSON *event = json_parse(push->event, strlen(push->event), NULL);

        next = push->next; /* the answer takes this one out of the journal */
        log_at(runs->options.log, LOG_WARNING, "git.push_error",
               LOG_STR("reason", "bridge_restarted"),
               LOG_STR("branch_name", json_get_string(event, "branchName")));
        if (event)
            send_answer(runs, push->push_id, event);
    }
}

void push_runs_wind_down(struct push_runs *runs)
{
    struct push_run *run;

    runs->ending = true;
    while ((run = runs->first)) {
        push_worker_process_close(run->worker);
        answer(run, SHUTDOWN_TEXT);
        forget(run);
    }
}

void push_runs_close(struct push_runs *runs)
{
    struct push_run *run;

    if (!runs)
        return;
    while ((run = runs->first)) {
        push_worker_process_close(run->worker);
        forget(run);
    }
    free(runs);
}
