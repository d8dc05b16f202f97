#include "supervisor/image_build/image_build.h"

#define MS_PER_S 1000

static void on_budget_over(uv_timer_t *timer)
{
    struct image_build *build = timer->data;
    struct err err;

    err_set(&err, ERR_TIMEOUT,
            "the image build was not done within %llu seconds "
            "(OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS)",
            (unsigned long long)build->config->build.budget_ms / MS_PER_S);
    build->listener.on_failed(build->listener.user, &err);
}

static void on_callback_done(void *user, bool accepted)
{
    struct image_build *build = user;
    struct image_build_listener *listener = &build->listener;
    enum image_build_state before = build->state;
    struct err err;

    if (before == IMAGE_BUILD_OVER)
        return;
    build->state = IMAGE_BUILD_OVER;
    if (before == IMAGE_BUILD_TELLING_FAILURE) {
        listener->on_failure_told(listener->user);
    } else if (!accepted) {
        err_set(&err, ERR_NETWORK, "the image is built, but the success callback was not accepted");
        listener->on_failed(listener->user, &err);
    }
}

void image_build_init(struct image_build *build, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config,
                      struct image_build_listener listener)
{
    *build = (struct image_build){.log = log, .config = config, .listener = listener};
    build_callback_init(&build->callback, loop, reaper, log, config, on_callback_done, build);
    uv_timer_init(loop, &build->budget);
    build->budget.data = build;
}

void image_build_close(struct image_build *build)
{
    build_callback_close(&build->callback);
    uv_close((uv_handle_t *)&build->budget, NULL);
}

void image_build_start(struct image_build *build)
{
    if (build->config->build.budget_ms > 0)
        uv_timer_start(&build->budget, on_budget_over, build->config->build.budget_ms, 0);
}

void image_build_complete(struct image_build *build, uint64_t duration_ms,
                          const char *const *head_shas)
{
    uv_timer_stop(&build->budget);
    log_at(build->log, LOG_INFO, "image_build.complete", LOG_NUM("duration_ms", duration_ms),
           LOG_STR("runtime_version", build->config->build.runtime_version));
    build->state = IMAGE_BUILD_TELLING_SUCCESS;
    build_callback_send_success(&build->callback, duration_ms, head_shas);
}

void image_build_fail(struct image_build *build, const char *error)
{
    uv_timer_stop(&build->budget);
    build->state = IMAGE_BUILD_TELLING_FAILURE;
    build_callback_send_failure(&build->callback, error);
}

void image_build_cancel(struct image_build *build)
{
    if (build->state == IMAGE_BUILD_OVER)
        return;
    build->state = IMAGE_BUILD_OVER;
    uv_timer_stop(&build->budget);
    build_callback_cancel(&build->callback);
    log_at(build->log, LOG_INFO, "image_build.cancelled", LOG_STR("reason", "shutdown_requested"));
}
