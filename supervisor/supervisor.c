#include "supervisor/supervisor.h"

#include "common/clock.h"
#include "supervisor/boot/boot.h"
#include "supervisor/boot/boot_warnings.h"
#include "supervisor/bridge_service/bridge_service.h"
#include "supervisor/image_build/image_build.h"
#include "supervisor/opencode/opencode.h"
#include "supervisor/opencode/opencode_address.h"
#include "supervisor/process/cgroup.h"
#include "supervisor/report/fatal_report.h"
#include "supervisor/shutdown/shutdown.h"
#include "supervisor/signals.h"
#include "supervisor/startup.h"

#include <stdlib.h>
#include <string.h>

#define FATAL_TEXT_MAX (2 * ERR_TEXT_MAX)

struct supervisor {
    const struct supervisor_options *options;
    struct config *config;
    struct log *log;
    uv_loop_t loop;
    struct signals signals;
    struct reaper reaper;
    struct oom_kills oom_kills;
    struct boot boot;
    struct opencode opencode;
    struct bridge_service bridge;
    struct fatal_report report;
    struct image_build build;
    struct shutdown shutdown;
    char why_fatal[FATAL_TEXT_MAX]; /* redacted */
    bool booted;
    bool dying; /* something fatal happened; in a build its callback may still be under way */
    enum sandbox_end end;
};

/* ---- the end ---- */

/* S-132, S-133: logged, reported, told to the bridge, and then everything stops. */
static void report_and_stop(struct supervisor *supervisor)
{
    const char *why = supervisor->why_fatal;

    log_at(supervisor->log, LOG_ERROR, "supervisor.fatal", LOG_STR("error_message", why));
    bridge_service_tell_fatal(&supervisor->bridge, why);
    fatal_report_send(&supervisor->report, supervisor->config, why);
    shutdown_begin(&supervisor->shutdown);
}

static void die(struct supervisor *supervisor, enum sandbox_end end, const struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(FATAL_TEXT_MAX);
    bool build = supervisor->config->boot_mode == BOOT_BUILD;

    if (shutdown_has_begun(&supervisor->shutdown) || supervisor->dying)
        return;
    redact_text(log_redact(supervisor->log), err->text, strlen(err->text), &text);
    snprintf(supervisor->why_fatal, sizeof supervisor->why_fatal, "%s", buf_text(&text));
    supervisor->dying = true;
    supervisor->end = build ? SANDBOX_END_BUILD_FAILED : end;
    /* S-133: of a session that was running the give-up has been logged, a build gives nothing up. */
    if (build || !supervisor->booted)
        log_at(supervisor->log, LOG_ERROR, "supervisor.error", LOG_ERR(err));
    if (!supervisor->booted) {
        boot_log_startup(&supervisor->boot, false);
        boot_tell_failure(&supervisor->boot, supervisor->why_fatal);
    }
    if (!build) {
        report_and_stop(supervisor);
        return;
    }
    boot_cancel(&supervisor->boot);
    image_build_fail(&supervisor->build, supervisor->why_fatal);
}

static void on_shutdown_over(void *user)
{
    struct supervisor *supervisor = user;

    credential_setup_forget();
    boot_close(&supervisor->boot);
    opencode_close(&supervisor->opencode);
    bridge_service_close(&supervisor->bridge);
    fatal_report_close(&supervisor->report);
    image_build_close(&supervisor->build);
    shutdown_close(&supervisor->shutdown);
    reaper_close(&supervisor->reaper);
    signals_close(&supervisor->signals);
}

static void on_collected(void *user, bool children_left)
{
    struct supervisor *supervisor = user;

    if (shutdown_has_begun(&supervisor->shutdown))
        shutdown_look(&supervisor->shutdown, children_left);
}

/* ---- OpenCode ---- */

/* Prompts may come: the boot is over, and OpenCode answers. */
static void tell_ready(struct supervisor *supervisor)
{
    if (supervisor->booted && supervisor->opencode.ready)
        bridge_service_tell_ready(&supervisor->bridge, opencode_directory(supervisor->config));
}

static void on_opencode_ready(void *user)
{
    struct supervisor *supervisor = user;

    if (supervisor->booted)
        tell_ready(supervisor);
    else
        boot_step_done(&supervisor->boot, BOOT_STEP_OPENCODE);
}

static void on_opencode_down(void *user)
{
    struct supervisor *supervisor = user;

    bridge_service_tell_down(&supervisor->bridge);
}

/* Given up: after too many restarts when the boot is over, at the first failure before. */
static void give_up(struct supervisor *supervisor, const struct service *service,
                    const struct err *err)
{
    char event[64];

    snprintf(event, sizeof event, "%s.max_restarts", service->name);
    if (service->policy.deaths > SERVICE_DEATHS_MAX) {
        log_at(supervisor->log, LOG_ERROR, event, LOG_NUM("restart_count", service->policy.deaths));
        die(supervisor, SANDBOX_END_RESTARTS_EXHAUSTED, err);
    } else {
        die(supervisor, SANDBOX_END_FATAL, err);
    }
}

static void on_opencode_failed(void *user, const struct err *err)
{
    struct supervisor *supervisor = user;

    give_up(supervisor, &supervisor->opencode.service, err);
}

static void on_opencode_stopped(void *user)
{
    struct supervisor *supervisor = user;

    shutdown_opencode_stopped(&supervisor->shutdown);
}

/* ---- the bridge ---- */

static void on_session_over(void *user)
{
    struct supervisor *supervisor = user;

    if (!shutdown_has_begun(&supervisor->shutdown) && !supervisor->dying)
        supervisor->end = SANDBOX_END_SESSION_OVER;
    shutdown_begin(&supervisor->shutdown);
}

static void on_prompt(void *user, bool running)
{
    struct supervisor *supervisor = user;

    opencode_set_prompt_running(&supervisor->opencode, running);
}

static void on_bridge_failed(void *user, const struct err *err)
{
    struct supervisor *supervisor = user;

    give_up(supervisor, &supervisor->bridge.service, err);
}

static void on_bridge_stopped(void *user)
{
    struct supervisor *supervisor = user;

    shutdown_bridge_stopped(&supervisor->shutdown);
}

/* ---- the boot ---- */

static void on_phase(void *user, const struct boot_phase *phase)
{
    struct supervisor *supervisor = user;

    bridge_service_tell_phase(&supervisor->bridge, phase);
}

static void on_warning(void *user, const char *scope, const char *message,
                       const struct repository *repository)
{
    struct supervisor *supervisor = user;
    bool told = bridge_service_tell_warning(&supervisor->bridge, scope, message, repository);

    boot_warnings_add(told ? "" : supervisor->config->paths.boot_warnings, supervisor->log, scope,
                      message, repository);
}

static void start_opencode_early(void *user)
{
    struct supervisor *supervisor = user;

    opencode_start_early(&supervisor->opencode);
}

static void start_opencode(void *user)
{
    struct supervisor *supervisor = user;

    opencode_start(&supervisor->opencode);
}

static void start_bridge(void *user)
{
    struct supervisor *supervisor = user;

    bridge_service_start(&supervisor->bridge);
    boot_step_done(&supervisor->boot, BOOT_STEP_BRIDGE);
}

/* Then it waits for a signal: the provider takes its picture of a living sandbox (S-423). */
static void complete_build(struct supervisor *supervisor)
{
    const char *head_shas[REPOSITORIES_MAX];

    for (size_t i = 0; i < supervisor->config->repositories.count; i++)
        head_shas[i] = git_sync_outcome_of(&supervisor->boot.sync, i)->head_sha;
    image_build_complete(&supervisor->build, clock_monotonic_ms() - supervisor->options->started_ms,
                         head_shas);
}

static void on_build_failed(void *user, const struct err *err)
{
    die(user, SANDBOX_END_FATAL, err);
}

static void on_build_failure_told(void *user)
{
    report_and_stop(user);
}

static void on_boot_done(void *user)
{
    struct supervisor *supervisor = user;

    supervisor->booted = true;
    if (supervisor->config->boot_mode == BOOT_BUILD) {
        complete_build(supervisor);
        return;
    }
    tell_ready(supervisor);
    boot_log_startup(&supervisor->boot, true);
}

static void on_boot_fatal(void *user, const struct err *err)
{
    die(user, SANDBOX_END_FATAL, err);
}

/* ---- signals ---- */

static void on_status_wanted(void *user)
{
    struct supervisor *supervisor = user;
    const struct service *opencode = &supervisor->opencode.service;
    const struct service *bridge = &supervisor->bridge.service;

    log_at(supervisor->log, LOG_INFO, "supervisor.status",
           LOG_NUM("uptime_ms", clock_monotonic_ms() - supervisor->options->started_ms),
           LOG_BOOL("booted", supervisor->booted),
           LOG_STR("opencode_state", service_policy_state_name(opencode->policy.state)),
           LOG_NUM("opencode_pid", opencode->process.running ? opencode->process.pid : 0),
           LOG_NUM("opencode_deaths", opencode->policy.deaths),
           LOG_STR("bridge_state", service_policy_state_name(bridge->policy.state)),
           LOG_NUM("bridge_pid", bridge->process.running ? bridge->process.pid : 0),
           LOG_NUM("bridge_deaths", bridge->policy.deaths),
           LOG_NUM("orphans_reaped", supervisor->reaper.orphans));
}

static void on_end_wanted(void *user, const char *signal_name)
{
    struct supervisor *supervisor = user;

    log_at(supervisor->log, LOG_INFO, "supervisor.signal", LOG_STR("signal_name", signal_name));
    if (supervisor->config->boot_mode == BOOT_BUILD)
        image_build_cancel(&supervisor->build);
    if (shutdown_has_begun(&supervisor->shutdown))
        shutdown_hurry(&supervisor->shutdown);
    else
        shutdown_begin(&supervisor->shutdown);
}

/* ---- the start ---- */

static int init_actors(struct supervisor *supervisor, struct err *err)
{
    const struct supervisor_options *options = supervisor->options;
    uv_loop_t *loop = &supervisor->loop;
    struct reaper *reaper = &supervisor->reaper;
    struct log *log = supervisor->log;
    int rc = reaper_init(reaper, loop, log, err);
    struct boot_plan_input input = boot_plan_input_of(supervisor->config, !options->bridge_command);

    reaper->on_collected = on_collected;
    reaper->user = supervisor;
    fatal_report_init(&supervisor->report, loop, reaper, log);
    image_build_init(&supervisor->build, loop, reaper, log, supervisor->config,
                     (struct image_build_listener){.on_failed = on_build_failed,
                                                   .on_failure_told = on_build_failure_told,
                                                   .user = supervisor});
    bridge_service_init(&supervisor->bridge, loop, reaper, log, supervisor->config,
                        options->bridge_command,
                        (struct bridge_listener){.on_session_over = on_session_over,
                                                 .on_prompt = on_prompt,
                                                 .on_failed = on_bridge_failed,
                                                 .on_stopped = on_bridge_stopped,
                                                 .user = supervisor});
    rc |= opencode_init(&supervisor->opencode, loop, reaper, log, supervisor->config,
                        (struct opencode_listener){.on_ready = on_opencode_ready,
                                                   .on_down = on_opencode_down,
                                                   .on_failed = on_opencode_failed,
                                                   .on_stopped = on_opencode_stopped,
                                                   .user = supervisor},
                        err);
    if (input.mode != BOOT_BUILD)
        bridge_service_log_skip(&supervisor->bridge);
    oom_kills_init(&supervisor->oom_kills, CGROUP_ROOT, CGROUP_OF_SELF);
    supervisor->opencode.service.oom_kills = &supervisor->oom_kills;
    supervisor->bridge.service.oom_kills = &supervisor->oom_kills;
    rc |= boot_init(&supervisor->boot, loop, reaper, log, supervisor->config, &input,
                    (struct boot_listener){.on_phase = on_phase,
                                           .on_warning = on_warning,
                                           .start_opencode_early = start_opencode_early,
                                           .start_opencode = start_opencode,
                                           .start_bridge = start_bridge,
                                           .on_done = on_boot_done,
                                           .on_fatal = on_boot_fatal,
                                           .user = supervisor},
                    err);
    shutdown_init(&supervisor->shutdown, loop, log,
                  (struct shutdown_parts){.boot = &supervisor->boot,
                                          .bridge = &supervisor->bridge,
                                          .opencode = &supervisor->opencode,
                                          .report = &supervisor->report.worker,
                                          .reaper = reaper},
                  on_shutdown_over, supervisor);
    return rc;
}

static void start(struct supervisor *supervisor)
{
    if (supervisor->config->boot_mode == BOOT_BUILD)
        image_build_start(&supervisor->build);
    boot_start(&supervisor->boot, supervisor->options->started_ms);
    /* After all that can begin at once: it must not hold that up. */
    if (supervisor->boot.plan.steps[BOOT_STEP_OPENCODE].runs)
        opencode_read_ahead(&supervisor->opencode);
}

enum sandbox_end supervisor_run(const struct supervisor_options *options)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    struct err err = {0};
    enum sandbox_end end = SANDBOX_END_FATAL;
    int rc;

    if (!supervisor)
        return end;
    supervisor->options = options;
    supervisor->config = options->config;
    supervisor->log = options->log;
    rc = uv_loop_init(&supervisor->loop);
    if (rc != 0) {
        err_set_sys(&err, -rc, "make the event loop");
        log_at(options->log, LOG_ERROR, "supervisor.error", LOG_ERR(&err));
        free(supervisor);
        return end;
    }
    log_output_watch(options->log_output, &supervisor->loop);
    startup_become_subreaper(options->log);
    startup_protect_from_oom();
    rc = signals_watch(&supervisor->signals, &supervisor->loop,
                       (struct signals_listener){.on_end_wanted = on_end_wanted,
                                                 .on_status_wanted = on_status_wanted,
                                                 .user = supervisor},
                       &err);
    /* After the signal handlers: who sees this line may send one (S-103). */
    startup_log(options->config, options->log);
    rc |= init_actors(supervisor, &err);
    boot_warnings_clear(options->config->paths.boot_warnings, options->log);
    if (rc != 0 || startup_make_workspace(options->config, &err) != 0)
        die(supervisor, SANDBOX_END_FATAL, &err);
    else
        start(supervisor);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    log_output_unwatch(options->log_output);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    uv_loop_close(&supervisor->loop);
    boot_free(&supervisor->boot);
    end = supervisor->end;
    free(supervisor);
    return end;
}
