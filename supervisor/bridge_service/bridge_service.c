#include "supervisor/bridge_service/bridge_service.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/self_program.h"
#include "supervisor/process/child_log.h"

#include <stdio.h>
#include <string.h>

#define PROGRAM_NAME "oi-bridge"
#define EARLY_EXIT_MS 500 /* S-327 */
#define END_GRACE_MS (5 * 1000)
#define EXIT_USAGE 2 /* B-102, B-117: started again with the same arguments it would fail again */
#define TAIL_MAX (LINE_TAIL_LINES * (LINE_TAIL_LINE_MAX + 1))

/* Beside this program, where the image puts both; else by name, looked up in PATH. */
static void find_program(struct bridge_service *bridge, const char *command)
{
    char self[PATH_MAX];
    ssize_t len = readlink(self_program(), self, sizeof self - 1);
    char *slash;

    if (command) {
        snprintf(bridge->program, sizeof bridge->program, "%s", command);
        return;
    }
    if (len > 0)
        self[len] = '\0';
    else
        snprintf(self, sizeof self, "%s", self_program());
    slash = strrchr(self, '/');
    if (slash) {
        slash[1] = '\0';
        if (strlen(self) + sizeof PROGRAM_NAME <= sizeof bridge->program) {
            stpcpy(stpcpy(bridge->program, self), PROGRAM_NAME);
            if (access(bridge->program, X_OK) == 0)
                return;
        }
    }
    strcpy(bridge->program, PROGRAM_NAME);
}

static void send_plain(struct bridge_service *bridge, const char *type)
{
    AUTO_BUF struct buf line = BUF_INIT(BRIDGE_MESSAGE_MAX);

    bridge_message_plain(&line, type);
    bridge_channel_send(&bridge->channel, &line);
}

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct bridge_service *bridge = user;

    line_tail_add(&bridge->tail, line, len);
    child_log_line(bridge->log, "", line, len, dropped);
}

static void on_message(void *user, const struct bridge_message *message)
{
    struct bridge_service *bridge = user;
    struct bridge_listener *listener = &bridge->listener;

    switch (message->type) {
    case BRIDGE_MESSAGE_UNKNOWN:
        break;
    case BRIDGE_MESSAGE_CONNECTED:
        bridge->connected = true;
        break;
    case BRIDGE_MESSAGE_PROMPT:
        listener->on_prompt(listener->user, message->running);
        break;
    case BRIDGE_MESSAGE_EXITING:
        log_at(bridge->log, LOG_INFO, "bridge.exiting", LOG_STR("reason", message->reason));
        break;
    }
}

static void greet(struct bridge_service *bridge)
{
    AUTO_BUF struct buf lines = BUF_INIT(2 * BRIDGE_MESSAGE_MAX);

    buf_append(&lines, bridge->boot_line.data, bridge->boot_line.len);
    if (bridge->directory)
        bridge_message_ready(&lines, bridge->directory);
    bridge_channel_send(&bridge->channel, &lines);
}

static int spawn_bridge(void *user, struct process *process, struct err *err)
{
    struct bridge_service *bridge = user;
    const struct config *config = bridge->config;
    AUTO_CLOSE int bridge_end = -1;
    char port[8];
    /* The token comes from SANDBOX_AUTH_TOKEN, so that no process list shows it (S-324). */
    const char *const argv[] = {bridge->program,
                                "--sandbox-id",
                                config->sandbox_id,
                                "--session-id",
                                config->session_id,
                                "--control-plane",
                                config->control_plane_url,
                                "--opencode-port",
                                port,
                                NULL};
    struct spawn_options options = {.program = bridge->program, .argv = argv};

    snprintf(port, sizeof port, "%d", OPENCODE_PORT);
    log_at(bridge->log, LOG_INFO, "bridge.start");
    if (bridge_channel_open(&bridge->channel, &bridge_end, err) != 0)
        return -1;
    if (process_start(process, &options, -1, bridge_end, err) != 0) {
        bridge_channel_shut(&bridge->channel);
        return -1;
    }
    log_at(bridge->log, LOG_INFO, "bridge.started", LOG_NUM("pid", process->pid));
    greet(bridge);
    return 0;
}

/* S-327: what it said before it died at once. */
static void log_early_exit(struct bridge_service *bridge, int exit_code)
{
    AUTO_BUF struct buf output = BUF_INIT(LOG_VALUE_MAX);

    if (clock_monotonic_ms() - bridge->service.process.started_ms >= EARLY_EXIT_MS)
        return;
    line_tail_print(&bridge->tail, &output);
    if (exit_code == 0)
        log_at(bridge->log, LOG_WARNING, "bridge.early_exit", LOG_NUM("exit_code", exit_code));
    else
        log_at(bridge->log, LOG_ERROR, "bridge.startup_crash", LOG_NUM("exit_code", exit_code),
               LOG_STR("output", buf_text(&output)));
}

/* Its first line says what was wrong, the others are the usage. */
static void explain_usage_exit(struct bridge_service *bridge)
{
    AUTO_BUF struct buf output = BUF_INIT(TAIL_MAX);
    const char *text;

    line_tail_print(&bridge->tail, &output);
    text = buf_text(&output);
    err_set(&bridge->service.error, ERR_CONFIG,
            "the bridge does not take the arguments or the environment it was started with: %.*s",
            (int)strcspn(text, "\n"), *text ? text : "it did not say why");
}

static void on_exited(struct bridge_service *bridge)
{
    int exit_code = bridge->service.exit_code;

    bridge->connected = false;
    bridge_channel_shut(&bridge->channel);
    if (!bridge->stopping)
        log_early_exit(bridge, exit_code);
    if (exit_code == EXIT_USAGE)
        explain_usage_exit(bridge);
    line_tail_clear(&bridge->tail);
    /* A prompt that ran in it does not run any more. */
    bridge->listener.on_prompt(bridge->listener.user, false);
    if (exit_code != 0 || bridge->stopping)
        return;
    log_at(bridge->log, LOG_INFO, "bridge.graceful_exit", LOG_NUM("exit_code", exit_code));
    bridge->listener.on_session_over(bridge->listener.user);
}

static void on_notice(void *user, enum service_notice notice)
{
    struct bridge_service *bridge = user;

    switch (notice) {
    case SERVICE_NOTICE_READY:
    case SERVICE_NOTICE_DOWN:
        break;
    case SERVICE_NOTICE_EXITED:
        on_exited(bridge);
        break;
    case SERVICE_NOTICE_FAILED:
        bridge->listener.on_failed(bridge->listener.user, &bridge->service.error);
        break;
    case SERVICE_NOTICE_STOPPED:
        bridge->listener.on_stopped(bridge->listener.user);
        break;
    }
}

void bridge_service_init(struct bridge_service *bridge, uv_loop_t *loop, struct reaper *reaper,
                         struct log *log, const struct config *config, const char *command,
                         struct bridge_listener listener)
{
    const struct boot_phase nothing_yet = {.name = "starting", .at_ms = clock_wall_ms()};

    *bridge = (struct bridge_service){.config = config,
                                      .log = log,
                                      .listener = listener,
                                      .boot_line = BUF_INIT(BRIDGE_MESSAGE_MAX)};
    bridge_message_boot(&bridge->boot_line, &nothing_yet, config->bridge_early_connect);
    find_program(bridge, command);
    bridge_channel_init(&bridge->channel, loop, log, on_message, bridge);
    /* No readiness to wait for: a bridge that runs may be waiting for `ready` itself. */
    service_init(
        &bridge->service, "bridge", loop, reaper, log,
        (struct service_limits){
            .start_ms = 0, .end_grace_ms = END_GRACE_MS, .hopeless_exit = EXIT_USAGE},
        (struct service_owner){
            .spawn = spawn_bridge, .on_notice = on_notice, .on_line = on_line, .user = bridge});
}

void bridge_service_close(struct bridge_service *bridge)
{
    service_close(&bridge->service);
    bridge_channel_close(&bridge->channel);
    line_tail_clear(&bridge->tail);
    buf_free(&bridge->boot_line);
}

void bridge_service_log_skip(const struct bridge_service *bridge)
{
    const char *reason = !*bridge->config->control_plane_url ? "no_control_plane_url"
                         : !*bridge->config->session_id      ? "no_session_id"
                                                             : NULL;

    if (reason)
        log_at(bridge->log, LOG_INFO, "bridge.skip", LOG_STR("reason", reason));
}

void bridge_service_start(struct bridge_service *bridge)
{
    service_start(&bridge->service);
}

void bridge_service_stop(struct bridge_service *bridge, uint64_t grace_ms)
{
    bridge->stopping = true;
    send_plain(bridge, "shutdown");
    service_stop(&bridge->service, grace_ms);
}

void bridge_service_kill(struct bridge_service *bridge)
{
    service_kill(&bridge->service);
}

void bridge_service_tell_phase(struct bridge_service *bridge, const struct boot_phase *phase)
{
    buf_reset(&bridge->boot_line);
    bridge_message_boot(&bridge->boot_line, phase, bridge->config->bridge_early_connect);
    bridge_channel_send(&bridge->channel, &bridge->boot_line);
}

void bridge_service_tell_ready(struct bridge_service *bridge, const char *directory)
{
    AUTO_BUF struct buf line = BUF_INIT(BRIDGE_MESSAGE_MAX);

    bridge->directory = directory;
    bridge_message_ready(&line, directory);
    bridge_channel_send(&bridge->channel, &line);
}

void bridge_service_tell_down(struct bridge_service *bridge)
{
    bridge->directory = NULL;
    send_plain(bridge, "opencode_down");
}

void bridge_service_tell_fatal(struct bridge_service *bridge, const char *error)
{
    AUTO_BUF struct buf line = BUF_INIT(BRIDGE_MESSAGE_MAX);

    bridge_message_fatal(&line, error);
    bridge_channel_send(&bridge->channel, &line);
}

bool bridge_service_tell_warning(struct bridge_service *bridge, const char *scope,
                                 const char *message, const struct repository *repository)
{
    AUTO_BUF struct buf line = BUF_INIT(BRIDGE_MESSAGE_MAX);
    AUTO_BUF struct buf clean = BUF_INIT(BRIDGE_MESSAGE_MAX);

    if (!bridge->connected)
        return false;
    /* It may quote a hook's output (S-215). */
    redact_text(log_redact(bridge->log), message, strlen(message), &clean);
    bridge_message_warning(&line, scope, buf_text(&clean), repository ? repository->owner : NULL,
                           repository ? repository->name : NULL);
    bridge_channel_send(&bridge->channel, &line);
    return true;
}
