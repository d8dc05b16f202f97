#include "supervisor/git_sync/git_sync_worker.h"

#include "common/cleanup.h"
#include "common/err.h"
#include "common/file.h"
#include "common/json.h"
#include "common/worker.h"
#include "git/library.h"
#include "git/progress.h"
#include "git/repository.h"
#include "supervisor/git_sync/git_sync_credentials.h"
#include "supervisor/git_sync/git_sync_steps.h"

#include <string.h>

/* Used for what the input leaves out. */
enum {
    DEFAULT_CONNECT_S = 30,
    DEFAULT_STALL_S = 60,
    DEFAULT_CLONE_S = 300, /* S-157 */
    DEFAULT_FETCH_S = 120, /* S-158 */
};

typedef int action_fn(struct git_sync_task *task, struct err *err);

static const struct {
    const char *name;
    action_fn *run;
} actions[] = {
    {"sync", git_sync_steps_current},
    {"refresh", git_sync_steps_refresh},
    {"legacy-sync", git_sync_steps_legacy},
    {"legacy-quick-fetch", git_sync_steps_legacy_quick},
};

static void on_event(const char *level, const char *event, cJSON *fields)
{
    cJSON *line = worker_line_new("event");

    json_add_string(line, "level", level);
    json_add_string(line, "event", event);
    json_put(line, "fields", fields ? fields : cJSON_CreateObject());
    worker_emit(WORKER_OUTPUT_FD, line);
}

static void on_progress(void *user, const struct git_progress *progress)
{
    cJSON *line = worker_line_new("progress");

    (void)user;
    json_add_string(line, "phase", git_phase_name(progress->phase));
    if (progress->phase == GIT_PHASE_CHECKOUT) {
        json_add_number(line, "done_files", (double)progress->done);
        json_add_number(line, "total_files", (double)progress->total);
    } else if (progress->phase != GIT_PHASE_CONNECTING) {
        json_add_number(line, "received_objects", (double)progress->done);
        json_add_number(line, "total_objects", (double)progress->total);
        json_add_number(line, "indexed_objects", (double)progress->indexed);
        json_add_number(line, "received_bytes", (double)progress->bytes);
    }
    json_add_number(line, "percent", progress_percent(progress));
    worker_emit(WORKER_OUTPUT_FD, line);
}

static int require(const cJSON *input, const char *name, const char **value, struct err *err)
{
    *value = json_get_nonempty(input, name);
    return *value ? 0 : err_set(err, ERR_CONFIG, "worker input lacks \"%s\"", name);
}

static int read_job(const cJSON *input, struct git_sync_task *task, action_fn **run,
                    struct err *err)
{
    const cJSON *limits = json_get_object(input, "limits");
    const cJSON *identity = json_get_object(input, "identity");
    const char *action;

    if (require(input, "action", &action, err) < 0 ||
        require(input, "path", &task->path, err) < 0 ||
        require(input, "repository", &task->access.repository, err) < 0 ||
        require(input, "url", &task->access.url, err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LENGTH(actions); i++)
        if (strcmp(actions[i].name, action) == 0)
            *run = actions[i].run;
    if (!*run)
        return err_set(err, ERR_CONFIG, "worker input has unknown action \"%s\"", action);
    task->branch.wanted = json_get_nonempty(input, "branch");
    task->branch.may_fall_back = json_get_bool(input, "branch_is_default", false);
    task->keep_session_work = json_get_bool(input, "keep_session_work", false);
    task->of_image = json_get_bool(input, "of_image", false);
    task->sandbox_id = json_get_nonempty(input, "sandbox_id");
    task->session_id = json_get_nonempty(input, "session_id");
    task->given_base = json_get_nonempty(input, "base_sha");
    task->access.username = json_get_nonempty(input, "username");
    task->access.password = json_get_nonempty(input, "password");
    if (json_get_bool(input, "ask_credentials", false))
        task->access.get_credentials = git_sync_credentials_get;
    task->access.limits.connect_ms = worker_limit_ms(limits, "connect_s", DEFAULT_CONNECT_S);
    task->access.limits.stall_ms = worker_limit_ms(limits, "stall_s", DEFAULT_STALL_S);
    task->clone_ms = worker_limit_ms(limits, "clone_s", DEFAULT_CLONE_S);
    task->fetch_ms = worker_limit_ms(limits, "fetch_s", DEFAULT_FETCH_S);
    task->identity_name = json_get_nonempty(identity, "name");
    task->identity_email = json_get_nonempty(identity, "email");
    task->access.on_progress = on_progress;
    task->emit = on_event;
    return 0;
}

static void tell_no_head(const struct err *err)
{
    cJSON *fields = cJSON_CreateObject();

    json_add_string(fields, "error", err->text);
    on_event("warning", "git.rev_parse_error", fields);
}

/* Both are told also after a failure (S-218). */
static void add_shas(cJSON *result, const struct git_sync_task *task)
{
    char sha[REPOSITORY_SHA_SIZE];
    struct err err;

    if (task->path && repository_head(task->path, sha, &err) == 0)
        json_add_string(result, "head_sha", sha);
    else if (json_get_bool(result, "ok", false) && file_exists(task->path))
        tell_no_head(&err);
    if (task->base_sha[0])
        json_add_string(result, "base_sha", task->base_sha);
}

static void emit_success(const struct git_sync_task *task)
{
    cJSON *result = worker_result_new(NULL);

    if (task->branch.name[0])
        json_add_string(result, "branch", task->branch.name);
    json_add_bool(result, "cloned", task->cloned);
    json_add_bool(result, "kept", task->kept);
    add_shas(result, task);
    worker_emit(WORKER_OUTPUT_FD, result);
}

static void emit_failure(const struct git_sync_task *task, struct err *err)
{
    const char *operation = task->operation ? task->operation : "update";
    cJSON *result;

    if (task->access.repository)
        err_add_context(err, "%s %s", operation, task->access.repository);
    result = worker_result_new(err);
    json_add_string(result, "operation", operation);
    json_add_string(result, "event", git_sync_steps_failure_event(operation, err));
    json_add_bool(result, "kept", task->kept);
    if (strcmp(operation, "checkout") == 0)
        json_add_string(result, "target_branch", task->branch.name);
    if (err->class == ERR_TIMEOUT && task->access.limits.total_ms)
        json_add_number(result, "timeout_seconds", task->access.limits.total_ms / 1000.0);
    add_shas(result, task);
    worker_emit(WORKER_OUTPUT_FD, result);
}

int git_sync_worker_main(void)
{
    AUTO_CREDENTIAL struct credential credential = {0};
    struct git_sync_task task = {.access.credentials_user = &credential};
    struct err err = {0};
    action_fn *run = NULL;
    AUTO_SECRET_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    int code = -1;

    if (input && read_job(input, &task, &run, &err) == 0)
        code = run(&task, &err);
    if (code == 0)
        emit_success(&task);
    else
        emit_failure(&task, &err);
    library_stop();
    return code == 0 ? 0 : 1;
}
