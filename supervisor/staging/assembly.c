#include "supervisor/staging/assembly.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/staging/assembly_worker.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#define MESSAGE_MAX 4096

static const struct repository *repository_of(const struct assembly_run *run, const cJSON *line,
                                              const char *key)
{
    double index = -1;

    json_get_number(line, key, &index);
    return index >= 0 && index < (double)run->config->repositories.count
               ? &run->config->repositories.items[(size_t)index]
               : NULL;
}

static void on_line(void *user, const cJSON *line)
{
    struct assembly_run *run = user;
    AUTO_BUF struct buf message = BUF_INIT(MESSAGE_MAX);
    const struct repository *loser = repository_of(run, line, "loser");
    const struct repository *winner = repository_of(run, line, "winner");
    const char *path = json_get_string(line, "path");

    if (!loser || !winner || !path)
        return;
    buf_printf(&message,
               ".opencode/%s of %s/%s is overridden by that of %s/%s; later repositories win.",
               path, loser->owner, loser->name, winner->owner, winner->name);
    run->listener.on_override(run->listener.user, buf_text(&message), winner);
}

static void on_worker_done(void *user, const cJSON *result, const struct err *err)
{
    struct assembly_run *run = user;
    const char *text = json_get_string(result, "error");
    double files = 0, repositories = 0, guard_ms = 0;
    struct err failure;

    if (!json_get_bool(result, "ok", false)) {
        err_set(&failure, ERR_IO, "assemble the workspace's .opencode: %s",
                text  ? text
                : err ? err->text
                      : "no reason given");
        run->listener.on_done(run->listener.user, &failure);
        return;
    }
    json_get_number(result, "guard_ms", &guard_ms);
    if (json_get_string(result, "guarded"))
        log_at(run->log, LOG_INFO, "opencode.repo_deps_staged",
               LOG_STR("dir", json_get_string(result, "guarded")),
               LOG_NUM("duration_ms", guard_ms));
    if (json_get_string(result, "guard_error"))
        log_at(run->log, LOG_WARNING, "opencode.git_excludes_failed",
               LOG_STR("error_message", json_get_string(result, "guard_error")));
    json_get_number(result, "file_count", &files);
    json_get_number(result, "repo_count", &repositories);
    if (files > 0)
        log_at(run->log, LOG_INFO, "opencode.workspace_assembled", LOG_NUM("file_count", files),
               LOG_NUM("repo_count", repositories));
    run->listener.on_done(run->listener.user, NULL);
}

void assembly_init(struct assembly_run *run, uv_loop_t *loop, struct reaper *reaper,
                   struct log *log, const struct config *config, struct assembly_listener listener)
{
    *run = (struct assembly_run){.config = config, .log = log, .listener = listener};
    worker_init(
        &run->worker, ASSEMBLY_WORKER_NAME, loop, reaper, log,
        (struct worker_listener){.on_line = on_line, .on_done = on_worker_done, .user = run});
}

void assembly_close(struct assembly_run *run)
{
    worker_close(&run->worker);
}

/* A single repository without a .opencode needs nothing, and no process is started for it. */
static bool is_needed(const struct config *config)
{
    char directory[PATH_MAX];
    struct stat st;

    return config->repositories.count > 1 ||
           (snprintf(directory, sizeof directory, "%s/.opencode",
                     config->repositories.items[0].path) < PATH_MAX &&
            lstat(directory, &st) == 0 && S_ISDIR(st.st_mode));
}

void assembly_start(struct assembly_run *run, uint64_t limit_ms)
{
    AUTO_JSON cJSON *input = cJSON_CreateObject();
    cJSON *list = cJSON_CreateArray();
    struct err err;

    if (!is_needed(run->config)) {
        cJSON_Delete(list);
        run->listener.on_done(run->listener.user, NULL);
        return;
    }
    for (size_t i = 0; i < run->config->repositories.count; i++) {
        cJSON *one = cJSON_CreateObject();

        json_add_string(one, "name", run->config->repositories.items[i].name);
        json_add_string(one, "path", run->config->repositories.items[i].path);
        cJSON_AddItemToArray(list, one);
    }
    json_add_string(input, "workspace", run->config->paths.workspace);
    json_add_string(input, "deps", run->config->paths.opencode_deps);
    json_put(input, "repositories", list);
    if (worker_start(&run->worker, input, limit_ms, &err) != 0)
        on_worker_done(run, NULL, &err);
}

void assembly_kill(struct assembly_run *run)
{
    worker_kill(&run->worker);
}
