#include "supervisor/image_build/build_callback.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/wtf8.h"
#include "supervisor/report/post_worker.h"

#include <string.h>

#define USER_AGENT "open-inspect/repo-image-builder"
#define ATTEMPTS 3
#define ATTEMPT_LIMIT_MS (30 * 1000)
/* All attempts, their pauses and some time to start (S-169). */
#define WORKER_LIMIT_MS (ATTEMPTS * ATTEMPT_LIMIT_MS + 10 * 1000)
#define MS_PER_S 1000.0

static void on_line(void *user, const cJSON *line)
{
    struct build_callback *callback = user;
    double attempt = 0, delay_s = 0;

    json_get_number(line, "attempt", &attempt);
    json_get_number(line, "delay_s", &delay_s);
    log_at(callback->log, LOG_WARNING, "repo_image.callback_retry",
           LOG_STR("build_id", callback->config->build.id), LOG_STR("url", callback->url),
           LOG_NUM("attempt", attempt), LOG_NUM("max_retries", ATTEMPTS),
           LOG_NUM("delay_s", delay_s), LOG_STR("error", json_get_string(line, "error")));
}

static void on_done(void *user, const cJSON *result, const struct err *err)
{
    struct build_callback *callback = user;
    const char *text = json_get_string(result, "error");
    double status = 0, attempt = 0;
    bool accepted;

    if (callback->cancelled)
        return;
    json_get_number(result, "status", &status);
    json_get_number(result, "attempt", &attempt);
    accepted = status >= 200 && status <= 299;
    log_at(callback->log, accepted ? LOG_INFO : LOG_ERROR,
           accepted ? "repo_image.callback_success" : "repo_image.callback_failed",
           LOG_STR("build_id", callback->config->build.id), LOG_STR("url", callback->url),
           LOG_NUM("attempt", attempt), LOG_NUM("status", status),
           LOG_STR("error_message", err ? err->text : text));
    callback->on_done(callback->user, accepted);
}

void build_callback_init(struct build_callback *callback, uv_loop_t *loop, struct reaper *reaper,
                         struct log *log, const struct config *config,
                         void (*on_callback_done)(void *user, bool accepted), void *user)
{
    *callback = (struct build_callback){
        .log = log, .config = config, .on_done = on_callback_done, .user = user};
    worker_init(&callback->worker, POST_WORKER_NAME, loop, reaper, log,
                (struct worker_listener){.on_line = on_line, .on_done = on_done, .user = callback});
}

void build_callback_close(struct build_callback *callback)
{
    worker_close(&callback->worker);
}

void build_callback_cancel(struct build_callback *callback)
{
    callback->cancelled = true;
    worker_kill(&callback->worker);
}

static void send_body(struct build_callback *callback, const char *url, const cJSON *body)
{
    AUTO_SECRET_JSON cJSON *input = cJSON_CreateObject();
    AUTO_FREE char *text = json_to_string(body);
    struct err err;

    callback->url = url;
    json_add_string(input, "url", url);
    json_add_string(input, "body", text);
    json_add_string(input, "token", callback->config->build.token);
    json_add_string(input, "user_agent", USER_AGENT);
    json_add_number(input, "limit_ms", ATTEMPT_LIMIT_MS);
    json_add_number(input, "attempts", ATTEMPTS);
    if (worker_start(&callback->worker, input, WORKER_LIMIT_MS, &err) != 0)
        on_done(callback, NULL, &err);
}

static cJSON *describe_repositories(const struct repository_list *list,
                                    const char *const *head_shas)
{
    cJSON *shas = cJSON_CreateArray();

    for (size_t i = 0; i < list->count; i++) {
        cJSON *entry = cJSON_CreateObject();

        json_add_string(entry, "repoOwner", list->items[i].owner);
        json_add_string(entry, "repoName", list->items[i].name);
        json_add_string(entry, "baseSha", head_shas[i]);
        cJSON_AddItemToArray(shas, entry);
    }
    return shas;
}

void build_callback_send_success(struct build_callback *callback, uint64_t duration_ms,
                                 const char *const *head_shas)
{
    const struct config_build *build = &callback->config->build;
    AUTO_JSON cJSON *body = cJSON_CreateObject();

    if (!build->has_callback) {
        callback->on_done(callback->user, true);
        return;
    }
    json_add_string(body, "build_id", build->id);
    json_add_number(body, "build_duration_seconds", (double)duration_ms / MS_PER_S);
    json_put(body, "repository_shas",
             describe_repositories(&callback->config->repositories, head_shas));
    json_add_string(body, "runtime_version", build->runtime_version);
    json_add_string(body, "provider_session_id", build->provider_session_id);
    send_body(callback, build->success_url, body);
}

void build_callback_send_failure(struct build_callback *callback, const char *error)
{
    const struct config_build *build = &callback->config->build;
    AUTO_JSON cJSON *body = cJSON_CreateObject();
    size_t tail = wtf8_tail(error, strlen(error), BUILD_CALLBACK_ERROR_MAX);

    if (!build->has_callback) {
        callback->on_done(callback->user, true);
        return;
    }
    json_add_string(body, "build_id", build->id);
    json_add_string(body, "error", error + tail);
    json_add_string(body, "provider_session_id", build->provider_session_id);
    send_body(callback, build->failure_url, body);
}
