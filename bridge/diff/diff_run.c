#include "bridge/diff/diff_run.h"

#include "bridge/control_plane/session_request.h"
#include "bridge/diff/diff_schedule.h"
#include "bridge/manifest.h"
#include "bridge/worker_process.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "common/wtf8.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MS_PER_SECOND 1000.0
#define MANIFEST_MAX_BYTES ((size_t)200 * 1024) /* fits the worker's input */
#define ANSWER_MAX_BYTES ((size_t)8 * 1024)
#define REPORT_MAX_CHARACTERS 2000 /* B-1002 */

/* It has nothing to put in order, and SIGTERM ends it. */
#define KILL_MS 1000

enum { STATUS_REDIRECTION = 300, STATUS_NOT_FOUND = 404 };

struct diff_run {
    uv_timer_t start; /* a capture is not begun inside the calls of others */
    struct diff_run_options options;
    struct diff_schedule schedule;
    struct worker_process *worker;
    struct http_request *request; /* the upload, or the report of a failure */
    int bundle_fd;                /* -1: none */
    size_t bundle_bytes;
    double repository_count;
};

static void advance(struct diff_run *run);

/* ---- the end of a capture ---- */

static void settle(struct diff_run *run, bool answered)
{
    if (run->bundle_fd >= 0)
        close(run->bundle_fd);
    run->bundle_fd = -1;
    diff_schedule_end(&run->schedule, answered);
    advance(run);
    if (diff_run_is_quiet(run))
        run->options.on_quiet(run->options.user);
}

static void set_unsupported(struct diff_run *run)
{
    log_at(run->options.log, LOG_INFO, "session_diff.unsupported");
    diff_schedule_set_unsupported(&run->schedule);
}

/* ---- requests ---- */

static struct http_request *send_request(struct diff_run *run, struct session_request *request,
                                         http_done_fn *on_done, struct err *err)
{
    static const struct net_header type = {"Content-Type", "application/json"};

    request->control_plane = run->options.control_plane;
    request->session_id = run->options.session_id;
    request->token = run->options.token;
    request->headers = &type;
    request->header_count = 1;
    request->max_body = ANSWER_MAX_BYTES;
    request->limit_ms = run->options.limits->diff_upload_ms;
    return session_request_start(run->options.net, request, on_done, run, err);
}

/* ERR_PROTOCOL and a text for an answer that is no success; keeps the error of no answer. */
static bool is_success(const struct http_response *response, struct err *err)
{
    if (!response)
        return false;
    if (response->status < STATUS_REDIRECTION)
        return true;
    err_set(err, ERR_PROTOCOL, "HTTP %d: %s", response->status, buf_text(&response->body));
    return false;
}

static void log_failed_report(struct diff_run *run, const struct err *err)
{
    log_at(run->options.log, LOG_WARNING, "session_diff.failure_report_failed",
           LOG_STR("error", err->text));
}

static void on_reported(void *user, struct http_response *response, const struct err *err)
{
    struct diff_run *run = user;
    struct err why = err ? *err : (struct err){0};

    run->request = NULL;
    if (response && response->status == STATUS_NOT_FOUND)
        set_unsupported(run);
    else if (!is_success(response, &why))
        log_failed_report(run, &why);
    settle(run, true);
}

static void report_failure(struct diff_run *run, const char *text)
{
    AUTO_JSON cJSON *body = cJSON_CreateObject();
    AUTO_FREE char *printed = NULL, *shown = NULL;
    struct session_request request = {.method = "POST", .path = "/diff/failure"};
    struct err err = {0};

    log_at(run->options.log, LOG_WARNING, "session_diff.refresh_failed", LOG_STR("error", text));
    shown = strndup(text, wtf8_cut(text, strlen(text), REPORT_MAX_CHARACTERS));
    json_add_string(body, "error", shown);
    printed = json_to_string(body);
    request.body = printed;
    request.body_len = printed ? strlen(printed) : 0;
    run->request = send_request(run, &request, on_reported, &err);
    if (run->request)
        return;
    log_failed_report(run, &err);
    settle(run, true);
}

static void on_uploaded(void *user, struct http_response *response, const struct err *err)
{
    struct diff_run *run = user;
    struct err why = err ? *err : (struct err){0};

    run->request = NULL;
    if (response && response->status == STATUS_NOT_FOUND) {
        set_unsupported(run);
        settle(run, true);
    } else if (is_success(response, &why)) {
        log_at(run->options.log, LOG_INFO, "session_diff.collection_completed",
               LOG_NUM("repository_count", run->repository_count),
               LOG_NUM("encoded_bytes", run->bundle_bytes));
        settle(run, true);
    } else {
        err_add_context(&why, "Session diff upload failed");
        report_failure(run, why.text);
    }
}

static int read_bundle(void *user, size_t offset, char *into, size_t len, struct err *err)
{
    const struct diff_run *run = user;
    ssize_t got = pread(run->bundle_fd, into, len, (off_t)offset);

    if (got < 0)
        return err_set_sys(err, errno, "read the captured changes");
    if ((size_t)got < len)
        return err_set(err, ERR_IO, "the captured changes are cut short");
    return 0;
}

static void upload(struct diff_run *run)
{
    struct session_request request = {
        .method = "PUT", .path = "/diff", .read_body = read_bundle, .body_len = run->bundle_bytes};
    struct err err = {0};

    run->request = send_request(run, &request, on_uploaded, &err);
    if (!run->request) {
        err_add_context(&err, "Session diff upload failed");
        report_failure(run, err.text);
    }
}

/* ---- the worker ---- */

static void describe_failure(const struct diff_run *run, const struct worker_process_end *end,
                             char *text, size_t size)
{
    const char *error = json_get_string(end->result, "error");

    if (end->killed)
        snprintf(text, size, "Session diff capture timed out after %.0fs",
                 (double)run->options.limits->diff_capture_ms / MS_PER_SECOND);
    else
        snprintf(text, size, "%s", error ? error : end->text);
}

static void on_worker_done(void *user, const struct worker_process_end *end)
{
    struct diff_run *run = user;
    double bytes = 0;
    char text[ERR_TEXT_MAX];

    run->worker = NULL;
    if (diff_schedule_is_stale(&run->schedule)) {
        log_at(run->options.log, LOG_INFO, "session_diff.refresh_discarded",
               LOG_NUM("generation", run->schedule.noted_requested));
        settle(run, false);
    } else if (!end->killed && json_get_bool(end->result, "ok", false) &&
               json_get_number(end->result, "encoded_bytes", &bytes)) {
        run->bundle_bytes = (size_t)bytes;
        json_get_number(end->result, "repository_count", &run->repository_count);
        upload(run);
    } else {
        describe_failure(run, end, text, sizeof text);
        report_failure(run, text);
    }
}

static cJSON *make_input(const struct diff_run *run, cJSON *manifest)
{
    const struct limits *limits = run->options.limits;
    cJSON *input = cJSON_CreateObject();
    cJSON *sizes = cJSON_AddObjectToObject(input, "limits");

    json_put(input, "manifest", manifest);
    if (run->schedule.noted_trigger[0])
        json_add_string(input, "trigger", run->schedule.noted_trigger);
    json_add_number(sizes, "max_files", (double)limits->diff_max_files);
    json_add_number(sizes, "max_patch_bytes", (double)limits->diff_max_patch_bytes);
    json_add_number(sizes, "max_capture_bytes", (double)limits->diff_max_capture_bytes);
    json_add_number(sizes, "max_listing_bytes", (double)limits->diff_max_listing_bytes);
    json_add_number(sizes, "max_bundle_bytes", (double)limits->diff_max_bundle_bytes);
    json_add_number(sizes, "step_s", (double)limits->diff_step_ms / MS_PER_SECOND);
    return input;
}

static int start_worker(struct diff_run *run, cJSON *manifest, struct err *err)
{
    AUTO_JSON cJSON *input = make_input(run, manifest);
    struct worker_process_options options = {
        .loop = run->options.loop,
        .log = run->options.log,
        .name = "diff",
        .limit_ms = run->options.limits->diff_capture_ms,
        .kill_ms = KILL_MS,
    };

    run->bundle_fd = memfd_create("oi-session-diff", MFD_CLOEXEC);
    if (run->bundle_fd < 0)
        return err_set_sys(err, errno, "make a file in memory");
    options.bulk_fd = run->bundle_fd;
    run->worker = worker_process_start(&options, input, on_worker_done, run, err);
    return run->worker ? 0 : -1;
}

/* The file's contents when it names repositories; NULL otherwise (B-1112). */
static cJSON *read_manifest(const char *path)
{
    AUTO_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);
    AUTO_MANIFEST struct manifest manifest = {0};
    AUTO_JSON cJSON *file = NULL;

    if (file_read(path, &text, NULL) != 0)
        return NULL;
    file = json_parse(buf_text(&text), text.len, NULL);
    manifest_parse(file, &manifest);
    return manifest.count > 0 ? TAKE_PTR(file) : NULL;
}

static void begin(struct diff_run *run)
{
    cJSON *manifest = read_manifest(run->options.manifest_path);
    struct err err = {0};

    diff_schedule_begin(&run->schedule);
    if (!manifest)
        settle(run, true);
    else if (start_worker(run, manifest, &err) != 0)
        report_failure(run, err.text);
}

static void on_start(uv_timer_t *timer)
{
    struct diff_run *run = timer->data;

    if (diff_schedule_is_due(&run->schedule))
        begin(run);
}

/* Not at once: a prompt that waits in the queue begins first. */
static void advance(struct diff_run *run)
{
    if (diff_schedule_is_due(&run->schedule))
        uv_timer_start(&run->start, on_start, 0, 0);
}

/* ---- what others say ---- */

struct diff_run *diff_run_new(const struct diff_run_options *options)
{
    struct diff_run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    run->options = *options;
    run->bundle_fd = -1;
    uv_timer_init(options->loop, &run->start);
    run->start.data = run;
    return run;
}

void diff_run_prompt_started(struct diff_run *run)
{
    diff_schedule_prompt_started(&run->schedule);
    if (run->worker)
        worker_process_kill(run->worker);
}

void diff_run_prompt_ended(struct diff_run *run, const char *message_id)
{
    diff_schedule_prompt_ended(&run->schedule);
    diff_schedule_request(&run->schedule, message_id);
    advance(run);
}

void diff_run_refresh(struct diff_run *run)
{
    diff_schedule_request(&run->schedule, NULL);
    advance(run);
}

void diff_run_finish(struct diff_run *run)
{
    diff_schedule_close(&run->schedule);
}

bool diff_run_is_quiet(const struct diff_run *run)
{
    return !run->worker && !run->request;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void diff_run_close(struct diff_run *run)
{
    if (!run)
        return;
    worker_process_close(run->worker);
    http_request_cancel(run->request);
    if (run->bundle_fd >= 0)
        close(run->bundle_fd);
    uv_close((uv_handle_t *)&run->start, on_closed);
}
