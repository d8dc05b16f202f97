#include "supervisor/config_failure.h"

#include "supervisor/image_build/build_callback.h"
#include "supervisor/report/fatal_report.h"
#include "supervisor/signals.h"
#include "supervisor/startup.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (256 * 1024)

struct config_failure {
    uv_loop_t loop;
    struct reaper reaper;
    struct signals signals;
    const struct config *config;
    struct log *log;
    struct build_callback callback;
    struct fatal_report report;
    const char *text; /* redacted */
};

static void on_callback_done(void *user, bool accepted)
{
    struct config_failure *failure = user;

    (void)accepted;
    log_at(failure->log, LOG_ERROR, "supervisor.fatal", LOG_STR("error_message", failure->text));
    fatal_report_send(&failure->report, failure->config, failure->text);
}

static void tell(struct config_failure *failure)
{
    const struct config_build *build = &failure->config->build;

    /* Half a callback is one of the problems, and reaches nobody (S-424). */
    if (config_build_has_address(build) && build->token && *build->token)
        build_callback_send_failure(&failure->callback, failure->text);
    else
        on_callback_done(failure, false);
}

static void on_end_wanted(void *user, const char *signal_name)
{
    struct config_failure *failure = user;

    log_at(failure->log, LOG_INFO, "supervisor.signal", LOG_STR("signal_name", signal_name));
    build_callback_cancel(&failure->callback);
    worker_kill(&failure->report.worker);
}

static void on_status_wanted(void *user)
{
    (void)user; /* there is none yet */
}

/* The last worker is gone: so is what keeps the loop running. */
static void on_collected(void *user, bool children_left)
{
    struct config_failure *failure = user;

    (void)children_left;
    if (failure->callback.worker.process.running || failure->report.worker.process.running)
        return;
    failure->reaper.on_collected = NULL;
    build_callback_close(&failure->callback);
    fatal_report_close(&failure->report);
    signals_close(&failure->signals);
    reaper_close(&failure->reaper);
}

static void run(struct config_failure *failure)
{
    struct signals_listener listener = {
        .on_end_wanted = on_end_wanted, .on_status_wanted = on_status_wanted, .user = failure};
    struct err err;

    if (reaper_init(&failure->reaper, &failure->loop, failure->log, &err) != 0) {
        log_at(failure->log, LOG_ERROR, "supervisor.error", LOG_ERR(&err));
        return;
    }
    failure->reaper.on_collected = on_collected;
    failure->reaper.user = failure;
    build_callback_init(&failure->callback, &failure->loop, &failure->reaper, failure->log,
                        failure->config, on_callback_done, failure);
    fatal_report_init(&failure->report, &failure->loop, &failure->reaper, failure->log);
    if (signals_watch(&failure->signals, &failure->loop, listener, &err) != 0)
        log_at(failure->log, LOG_WARNING, "supervisor.error", LOG_ERR(&err));
    /* A boot that gets no further than this is told as every other (S-6, S-102, S-132). */
    startup_log(failure->config, failure->log);
    log_at(failure->log, LOG_ERROR, "supervisor.error", LOG_STR("error_type", "config"),
           LOG_STR("error_message", failure->text));
    tell(failure);
    reaper_collect(&failure->reaper);
    uv_run(&failure->loop, UV_RUN_DEFAULT);
    /* S-367: on every path, though nothing of a sandbox was begun here. */
    log_at(failure->log, LOG_INFO, "supervisor.shutdown_start");
    log_at(failure->log, LOG_INFO, "supervisor.shutdown_complete");
}

void config_failure_report(const struct config *config, struct log *log)
{
    struct config_failure *failure = calloc(1, sizeof *failure);
    struct buf text = BUF_INIT(TEXT_MAX);

    /* Without the end of the last line. */
    redact_text(log_redact(log), buf_text(&config->problems),
                config->problems.len - (config->problems.len > 0), &text);
    if (failure && uv_loop_init(&failure->loop) == 0) {
        failure->config = config;
        failure->log = log;
        failure->text = buf_text(&text);
        run(failure);
        uv_loop_close(&failure->loop);
    }
    buf_free(&text);
    free(failure);
}
