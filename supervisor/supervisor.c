#include "supervisor/supervisor.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "supervisor/boot/boot.h"
#include "supervisor/boot/boot_warnings.h"
#include "supervisor/bridge_service/bridge_service.h"
#include "supervisor/report/fatal_report.h"
#include "supervisor/opencode/opencode.h"
#include "supervisor/shutdown/shutdown.h"
#include "supervisor/signals.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#define WORKSPACE_MODE 0755
#define EXIT_FATAL 1
#define FATAL_TEXT_MAX (4 * ERR_TEXT_MAX)

struct supervisor {
    const struct supervisor_options *options;
    struct config *config;
    struct log *log;
    uv_loop_t loop;
    struct signals signals;
    struct reaper reaper;
    struct boot boot;
    struct opencode opencode;
    struct bridge_service bridge;
    struct fatal_report report;
    struct shutdown shutdown;
    bool booted;
    int exit_code;
};

/* ---- the end ---- */

/* S-132, S-133: logged, reported, told to the bridge, and then everything stops. */
static void die(struct supervisor *supervisor, const struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(FATAL_TEXT_MAX);

    if (shutdown_has_begun(&supervisor->shutdown))
        return;
    redact_text(log_redact(supervisor->log), err->text, strlen(err->text), &text);
    supervisor->exit_code = EXIT_FATAL;
    if (!supervisor->booted) {
        log_at(supervisor->log, LOG_ERROR, "supervisor.error", LOG_ERR(err));
        boot_log_startup(&supervisor->boot, false);
    }
    log_at(supervisor->log, LOG_ERROR, "supervisor.fatal",
           LOG_STR("error_message", buf_text(&text)));
    bridge_service_tell_fatal(&supervisor->bridge, buf_text(&text));
    fatal_report_send(&supervisor->report, supervisor->config, buf_text(&text));
    shutdown_begin(&supervisor->shutdown);
}

static void on_shutdown_over(void *user)
{
    struct supervisor *supervisor = user;

    credential_setup_forget();
    boot_close(&supervisor->boot);
    opencode_close(&supervisor->opencode);
    bridge_service_close(&supervisor->bridge);
    fatal_report_close(&supervisor->report);
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

static void on_opencode_ready(void *user)
{
    struct supervisor *supervisor = user;

    bridge_service_tell_ready(&supervisor->bridge);
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
    if (service->policy.deaths > SERVICE_DEATHS_MAX)
        log_at(supervisor->log, LOG_ERROR, event, LOG_NUM("restart_count", service->policy.deaths));
    die(supervisor, err);
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

static void on_phase(void *user, enum boot_step step)
{
    struct supervisor *supervisor = user;

    if (step == BOOT_STEP_SYNC || step == BOOT_STEP_SETUP || step == BOOT_STEP_START ||
        step == BOOT_STEP_OPENCODE)
        bridge_service_tell_phase(&supervisor->bridge, boot_plan_step_name(step));
}

static void on_warning(void *user, const char *scope, const char *message,
                       const struct repository *repository)
{
    struct supervisor *supervisor = user;
    bool told = bridge_service_tell_warning(&supervisor->bridge, scope, message, repository);

    boot_warnings_add(told ? "" : supervisor->config->paths.boot_warnings, supervisor->log, scope,
                      message, repository);
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

static void on_boot_done(void *user)
{
    struct supervisor *supervisor = user;

    supervisor->booted = true;
    if (supervisor->config->boot_mode != BOOT_BUILD) {
        boot_log_startup(&supervisor->boot, true);
        return;
    }
    /* The provider takes its picture of a sandbox that is still there (S-423). */
    log_at(supervisor->log, LOG_INFO, "image_build.complete",
           LOG_NUM("duration_ms", clock_monotonic_ms() - supervisor->options->started_ms));
}

static void on_boot_fatal(void *user, const struct err *err)
{
    die(user, err);
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
    if (shutdown_has_begun(&supervisor->shutdown))
        shutdown_hurry(&supervisor->shutdown);
    else
        shutdown_begin(&supervisor->shutdown);
}

/* ---- the start ---- */

static void log_start(const struct supervisor *supervisor)
{
    static const char *const mode_events[] = {
        [BOOT_FRESH] = NULL,
        [BOOT_REPO_IMAGE] = "supervisor.from_repo_image",
        [BOOT_SNAPSHOT_RESTORE] = "supervisor.restored_from_snapshot",
        [BOOT_BUILD] = "supervisor.image_build_mode",
    };
    const struct config *config = supervisor->config;
    const struct repository_list *list = &config->repositories;
    const char *event =
        list->count > 0 ? mode_events[config->boot_mode] : "supervisor.no_repo_configured";

    log_at(supervisor->log, LOG_INFO, "supervisor.start",
           LOG_STR("repo_owner", list->count > 0 ? list->items[0].owner : ""),
           LOG_STR("repo_name", list->count > 0 ? list->items[0].name : ""),
           LOG_NUM("pid", getpid()));
    log_at(supervisor->log, LOG_INFO, "supervisor.era",
           LOG_STR("era", config->era == ERA_CURRENT ? "current" : "legacy"),
           LOG_STR("reason", config->era_reason));
    if (event)
        log_at(supervisor->log, LOG_INFO, event);
}

/* S-353: orphans must come to us, or nobody ends them. */
static void become_reaper_of_orphans(struct log *log)
{
    struct err err;

    if (getpid() == 1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == 0)
        return;
    err_set_sys(&err, errno, "become a subreaper: orphans will not be reaped");
    log_at(log, LOG_WARNING, "supervisor.subreaper_failed", LOG_ERR(&err));
}

static int make_workspace(const struct config *config, struct err *err)
{
    if (file_make_directories(config->paths.workspace, WORKSPACE_MODE, err) == 0)
        return 0;
    return err_add_context(
        err, "the workspace cannot be made by user %d (make it in the image, for that user)",
        (int)getuid());
}

static int init_actors(struct supervisor *supervisor, struct err *err)
{
    const struct supervisor_options *options = supervisor->options;
    uv_loop_t *loop = &supervisor->loop;
    struct reaper *reaper = &supervisor->reaper;
    struct log *log = supervisor->log;
    int rc = reaper_init(reaper, loop, log, err);
    struct boot_plan_input input = {
        .era = supervisor->config->era,
        .mode = supervisor->config->boot_mode,
        .has_repositories = supervisor->config->repositories.count > 0,
        .tunnels_expected =
            supervisor->config->era == ERA_CURRENT && supervisor->config->tunnel_ports.count > 0,
        .bridge_waits_for_ready =
            !options->bridge_command || supervisor->config->bridge_early_connect,
    };

    reaper->on_collected = on_collected;
    reaper->user = supervisor;
    fatal_report_init(&supervisor->report, loop, reaper, log);
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
    input.bridge_wanted = input.mode != BOOT_BUILD && bridge_service_is_wanted(&supervisor->bridge);
    rc |= boot_init(&supervisor->boot, loop, reaper, log, supervisor->config, &input,
                    (struct boot_listener){.on_phase = on_phase,
                                           .on_warning = on_warning,
                                           .start_opencode = start_opencode,
                                           .start_bridge = start_bridge,
                                           .on_done = on_boot_done,
                                           .on_fatal = on_boot_fatal,
                                           .user = supervisor},
                    err);
    supervisor->boot.slack_notify = options->slack_notify;
    shutdown_init(&supervisor->shutdown, loop, log,
                  (struct shutdown_parts){.boot = &supervisor->boot,
                                          .bridge = &supervisor->bridge,
                                          .opencode = &supervisor->opencode,
                                          .report = &supervisor->report.worker,
                                          .reaper = reaper},
                  on_shutdown_over, supervisor);
    return rc;
}

int supervisor_run(const struct supervisor_options *options)
{
    struct supervisor *supervisor = calloc(1, sizeof *supervisor);
    struct err err = {0};
    int exit_code = EXIT_FATAL;
    int rc;

    if (!supervisor)
        return EXIT_FATAL;
    supervisor->options = options;
    supervisor->config = options->config;
    supervisor->log = options->log;
    rc = uv_loop_init(&supervisor->loop);
    if (rc != 0) {
        err_set_sys(&err, -rc, "make the event loop");
        log_at(options->log, LOG_ERROR, "supervisor.error", LOG_ERR(&err));
        free(supervisor);
        return EXIT_FATAL;
    }
    become_reaper_of_orphans(options->log);
    rc = signals_watch(&supervisor->signals, &supervisor->loop,
                       (struct signals_listener){.on_end_wanted = on_end_wanted,
                                                 .on_status_wanted = on_status_wanted,
                                                 .user = supervisor},
                       &err);
    /* After the signal handlers: who sees this line may send one (S-103). */
    log_start(supervisor);
    rc |= init_actors(supervisor, &err);
    boot_warnings_clear(options->config->paths.boot_warnings, options->log);
    if (rc != 0 || make_workspace(options->config, &err) != 0)
        die(supervisor, &err);
    else
        boot_start(&supervisor->boot, options->started_ms);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    uv_loop_close(&supervisor->loop);
    boot_free(&supervisor->boot);
    exit_code = supervisor->exit_code;
    free(supervisor);
    return exit_code;
}
