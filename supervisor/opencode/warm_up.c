#include "supervisor/opencode/warm_up.h"

#include "common/clock.h"
#include "common/json.h"
#include "supervisor/opencode/opencode_address.h"

/* For the worker to remove its session after its limit. */
#define TIDY_LIMIT_MS (2 * 1000)

static void on_worker_done(void *user, const cJSON *result, const struct err *err)
{
    struct warm_up *warm_up = user;
    uint64_t duration_ms = clock_monotonic_ms() - warm_up->started_ms;

    if (json_get_bool(result, "ok", false))
        log_at(warm_up->log, LOG_INFO, "opencode.warmed_up", LOG_NUM("duration_ms", duration_ms));
    else if (!err || err->class != ERR_CANCELLED)
        log_at(warm_up->log, LOG_WARNING, "opencode.warm_up_failed",
               LOG_NUM("duration_ms", duration_ms),
               LOG_STR("error_message", err ? err->text : json_get_string(result, "error")));
    warm_up->on_done(warm_up->user);
}

void warm_up_init(struct warm_up *warm_up, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                  const struct config *config, void (*on_done)(void *user), void *user)
{
    *warm_up = (struct warm_up){.config = config, .log = log, .on_done = on_done, .user = user};
    worker_init(&warm_up->worker, WARM_UP_WORKER, loop, reaper, log,
                (struct worker_listener){.on_done = on_worker_done, .user = warm_up});
}

void warm_up_close(struct warm_up *warm_up)
{
    worker_close(&warm_up->worker);
}

void warm_up_start(struct warm_up *warm_up, const char *directory, uint64_t limit_ms)
{
    const struct config *config = warm_up->config;
    AUTO_SECRET_JSON cJSON *input = cJSON_CreateObject();
    struct err err;

    warm_up->started_ms = clock_monotonic_ms();
    json_add_string(input, "host", opencode_address_reachable(config->opencode_host));
    json_add_number(input, "port", OPENCODE_PORT);
    json_add_string(input, "directory", directory);
    json_add_number(input, "limit_ms", (double)limit_ms);
    if (config->opencode_password) {
        json_add_string(input, "username", config->opencode_username);
        json_add_string(input, "password", config->opencode_password);
    }
    if (worker_start(&warm_up->worker, input, limit_ms + TIDY_LIMIT_MS, &err) != 0)
        on_worker_done(warm_up, NULL, &err);
}

void warm_up_kill(struct warm_up *warm_up)
{
    worker_kill(&warm_up->worker);
}
