#include "supervisor/git_sync/git_sync.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/git_sync/git_sync_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000
/* The worker keeps its own limits; ours only catch one that does not (S-157..S-159). */
#define TRANSFER_LIMIT_MS (GIT_SYNC_CLONE_LIMIT_S * MS_PER_S + 10 * MS_PER_S)
#define CHECKOUT_LIMIT_MS (300 * MS_PER_S)

struct git_sync_job {
    struct git_sync *sync;
    const struct repository *repository;
    struct worker worker;
    struct git_sync_outcome outcome;
    bool in_checkout;
    char why[ERR_TEXT_MAX];
};

static enum log_level level_of(const char *word)
{
    if (word && strcmp(word, "error") == 0)
        return LOG_ERROR;
    if (word && strcmp(word, "warning") == 0)
        return LOG_WARNING;
    return word && strcmp(word, "debug") == 0 ? LOG_DEBUG : LOG_INFO;
}

/* A worker's log line, with the repository in front of its own fields. */
static void log_event(struct git_sync_job *job, const char *event, enum log_level level,
                      const cJSON *fields)
{
    struct log_field all[GIT_SYNC_EVENT_FIELDS_MAX + 2];
    size_t count = 0;
    const cJSON *field;

    if (!event)
        return;
    all[count++] = LOG_STR("repo_owner", job->repository->owner);
    all[count++] = LOG_STR("repo_name", job->repository->name);
    cJSON_ArrayForEach(field, fields) {
        if (count == ARRAY_LENGTH(all) || !field->string)
            break;
        if (strcmp(field->string, "type") == 0)
            continue; /* of the worker's line, not of the event */
        if (cJSON_IsString(field))
            all[count++] = LOG_STR(field->string, field->valuestring);
        else if (cJSON_IsNumber(field))
            all[count++] = LOG_NUM(field->string, field->valuedouble);
        else if (cJSON_IsBool(field))
            all[count++] = LOG_BOOL(field->string, cJSON_IsTrue(field));
    }
    log_write(job->sync->log, level, event, all, count);
}

static void on_progress(struct git_sync_job *job, const cJSON *line)
{
    const char *phase = json_get_string(line, "phase");

    log_event(job, "git.progress", LOG_INFO, line);
    if (!job->in_checkout && phase && strcmp(phase, "checkout") == 0) {
        job->in_checkout = true;
        worker_extend(&job->worker, CHECKOUT_LIMIT_MS);
    }
}

static void on_line(void *user, const cJSON *line)
{
    struct git_sync_job *job = user;
    const char *type = json_get_string(line, "type");

    if (strcmp(type, "event") == 0)
        log_event(job, json_get_string(line, "event"), level_of(json_get_string(line, "level")),
                  json_get_object(line, "fields"));
    else if (strcmp(type, "progress") == 0)
        on_progress(job, line);
}

static void finish(struct git_sync_job *job)
{
    struct git_sync *sync = job->sync;

    if (--sync->running == 0)
        sync->listener.on_done(sync->listener.user);
}

/* The failure as the contract's event, with `stderr` for whoever knows the older logs (S-486). */
static void log_failure(struct git_sync_job *job, const cJSON *result, const struct err *err)
{
    const char *event = json_get_string(result, "event");
    const char *class = json_get_string(result, "error_class");
    double timeout_s = GIT_SYNC_CLONE_LIMIT_S;
    bool mild;
    bool has_timeout = json_get_number(result, "timeout_seconds", &timeout_s) || !result;

    if (!event)
        event = err && err->class == ERR_TIMEOUT ? "git.clone_timeout"
                                                 : git_sync_unexpected_event(job->sync->config);
    if (!class)
        class = err_class_name(err ? err->class : ERR_INTERNAL);
    /* S-192, S-197 */
    mild =
        strcmp(event, "git.checkout_error") == 0 || strcmp(event, "git.restore_refresh_error") == 0;
    log_at(job->sync->log, mild ? LOG_WARNING : LOG_ERROR, event,
           LOG_STR("repo_owner", job->repository->owner),
           LOG_STR("repo_name", job->repository->name), LOG_STR("error_type", class),
           LOG_STR("error_message", job->why), LOG_STR("stderr", job->why),
           LOG_STR("target_branch", json_get_string(result, "target_branch")),
           has_timeout && strstr(event, "timeout") ? LOG_NUM("timeout_seconds", timeout_s)
                                                   : LOG_STR("timeout_seconds", NULL));
}

static void on_done(void *user, const cJSON *result, const struct err *err)
{
    struct git_sync_job *job = user;
    struct git_sync_outcome *outcome = &job->outcome;
    const char *head = json_get_string(result, "head_sha");
    const char *base = json_get_string(result, "base_sha");
    const char *branch = json_get_string(result, "branch");
    const char *class = json_get_string(result, "error_class");
    const char *text = json_get_string(result, "error");

    outcome->success = json_get_bool(result, "ok", false);
    outcome->kept = json_get_bool(result, "kept", false);
    outcome->timed_out =
        err ? err->class == ERR_TIMEOUT : class && err_class_parse(class) == ERR_TIMEOUT;
    snprintf(outcome->branch, sizeof outcome->branch, "%s", branch ? branch : "");
    snprintf(outcome->head_sha, sizeof outcome->head_sha, "%s", head ? head : "");
    snprintf(outcome->base_sha, sizeof outcome->base_sha, "%s", base ? base : outcome->head_sha);
    if (!outcome->success) {
        snprintf(job->why, sizeof job->why, "%s",
                 text  ? text
                 : err ? err->text
                       : "no reason given");
        if (!err || err->class != ERR_CANCELLED)
            log_failure(job, result, err);
    }
    finish(job);
}

int git_sync_init(struct git_sync *sync, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                  const struct config *config, struct git_sync_listener listener, struct err *err)
{
    size_t count = config->repositories.count;

    *sync = (struct git_sync){.log = log, .config = config, .listener = listener};
    if (count == 0)
        return 0;
    sync->jobs = calloc(count, sizeof *sync->jobs);
    if (!sync->jobs)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++) {
        struct git_sync_job *job = &sync->jobs[i];

        job->sync = sync;
        job->repository = &config->repositories.items[i];
        worker_init(&job->worker, "git-sync", loop, reaper, log,
                    (struct worker_listener){.on_line = on_line, .on_done = on_done, .user = job});
    }
    return 0;
}

static void start_job(struct git_sync_job *job)
{
    AUTO_SECRET_JSON cJSON *request = git_sync_request_build(job->sync->config, job->repository);
    struct err err;

    log_at(
        job->sync->log, LOG_DEBUG, "git.sync_start", LOG_STR("repo_owner", job->repository->owner),
        LOG_STR("repo_name", job->repository->name), LOG_STR("repo_path", job->repository->path));
    if (!request)
        err_set(&err, ERR_NO_MEMORY, "out of memory");
    else if (worker_start(&job->worker, request, TRANSFER_LIMIT_MS, &err) == 0)
        return;
    on_done(job, NULL, &err);
}

void git_sync_start(struct git_sync *sync)
{
    size_t count = sync->config->repositories.count;

    /* Counted up front: a job that cannot start is through at once. */
    sync->running = count;
    for (size_t i = 0; i < count; i++)
        start_job(&sync->jobs[i]);
}

void git_sync_kill(struct git_sync *sync)
{
    for (size_t i = 0; sync->jobs && i < sync->config->repositories.count; i++)
        worker_kill(&sync->jobs[i].worker);
}

void git_sync_close(struct git_sync *sync)
{
    for (size_t i = 0; sync->jobs && i < sync->config->repositories.count; i++)
        worker_close(&sync->jobs[i].worker);
}

void git_sync_free(struct git_sync *sync)
{
    free(sync->jobs);
    sync->jobs = NULL;
}

const struct git_sync_outcome *git_sync_outcome_of(const struct git_sync *sync, size_t index)
{
    return &sync->jobs[index].outcome;
}

bool git_sync_all_succeeded(const struct git_sync *sync)
{
    for (size_t i = 0; i < sync->config->repositories.count; i++) {
        if (!sync->jobs[i].outcome.success)
            return false;
    }
    return true;
}

static void print_those(const struct git_sync *sync, bool timed_out, const char *title,
                        struct buf *out)
{
    const char *before = title;

    for (size_t i = 0; i < sync->config->repositories.count; i++) {
        const struct git_sync_job *job = &sync->jobs[i];

        if (job->outcome.success || job->outcome.timed_out != timed_out)
            continue;
        if (before == title && out->len > 0)
            buf_puts(out, "; ");
        buf_printf(out, "%s%s/%s (%s)", before, job->repository->owner, job->repository->name,
                   job->why);
        before = ", ";
    }
}

void git_sync_print_failures(const struct git_sync *sync, struct buf *out)
{
    print_those(sync, true, "git sync timed out for ", out);
    print_those(sync, false, "git sync failed for ", out);
}
