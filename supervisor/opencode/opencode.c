#include "supervisor/opencode/opencode.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "supervisor/process/child_env.h"
#include "supervisor/process/child_log.h"
#include "supervisor/opencode/config_content.h"
#include "supervisor/opencode/opencode_address.h"
#include "supervisor/opencode/probe_schedule.h"
#include "supervisor/opencode/read_ahead.h"
#include "supervisor/opencode/recycling.h"
#include "supervisor/process/listeners.h"
#include "supervisor/process/process_state.h"
#include "supervisor/staging/staged_commands.h"
#include "supervisor/staging/staging.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PROGRAM "opencode"
#define END_GRACE_MS (10 * 1000)
#define LISTENING_LINE "opencode server listening on"

extern char **environ;

static uint64_t elapsed_ms(const struct opencode *opencode)
{
    return clock_monotonic_ms() - opencode->started_ms;
}

static bool recycle_if_grown(struct opencode *opencode)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t limit_kib = opencode->config->opencode_memory_limit_kib;
    uint64_t rss_kib = process_state_rss_kib(PROC_ROOT, opencode->service.process.pid);
    uint64_t busy_ms = opencode->last_prompt_ms > opencode->started_ms ? opencode->last_prompt_ms
                                                                       : opencode->started_ms;

    if (!recycling_is_due(rss_kib, limit_kib, now_ms - busy_ms, now_ms - opencode->started_ms))
        return false;
    log_at(opencode->log, LOG_WARNING, "opencode.recycled", LOG_NUM("rss_kib", rss_kib),
           LOG_NUM("limit_kib", limit_kib));
    service_recycle(&opencode->service);
    return true;
}

/* Of what is not a service: a compiler, a test run. */
static void tell_oom_kills(struct opencode *opencode)
{
    uint64_t kills = opencode->service.oom_kills ? oom_kills_look(opencode->service.oom_kills) : 0;

    if (kills > 0)
        log_at(opencode->log, LOG_WARNING, "sandbox.oom_kill", LOG_NUM("kills", kills));
}

static void on_next_probe(uv_timer_t *timer)
{
    struct opencode *opencode = timer->data;

    tell_oom_kills(opencode);
    if (!opencode->ready)
        health_probe_start(&opencode->probe, probe_schedule_limit_ms(elapsed_ms(opencode)));
    else if (!opencode->prompt_running && !recycle_if_grown(opencode))
        health_probe_start(&opencode->probe, PROBE_LIVENESS_LIMIT_MS);
    /* S-352: the one look at children that no signal asked for. */
    reaper_collect(opencode->service.process.reaper);
}

/* For whoever wants to know later why it did not answer. */
static void tell_state(const struct opencode *opencode)
{
    struct process_state state;

    process_state_read(PROC_ROOT, opencode->service.process.pid, &state);
    log_at(opencode->log, LOG_WARNING, "opencode.unresponsive",
           LOG_NUM("pid", opencode->service.process.pid), LOG_STR("state", state.state),
           LOG_STR("wchan", state.wchan), LOG_STR("syscall", state.syscall),
           LOG_STR("stack", state.stack), LOG_NUM("threads", state.threads),
           LOG_NUM("rss_kib", state.rss_kib));
}

static void on_liveness_result(struct opencode *opencode, enum health_result result)
{
    if (result == HEALTH_RESULT_HEALTHY) {
        opencode->misses = 0;
        return;
    }
    opencode->misses++;
    log_at(opencode->log, LOG_WARNING, "opencode.health_check_error",
           LOG_NUM("misses", opencode->misses),
           LOG_BOOL("answered", result == HEALTH_RESULT_OTHER));
    if (opencode->misses < PROBE_LIVENESS_MISSES)
        return;
    tell_state(opencode);
    service_unhealthy(&opencode->service, "does not answer its health check any more");
}

static void on_probe_result(void *user, enum health_result result)
{
    struct opencode *opencode = user;

    if (opencode->ready) {
        on_liveness_result(opencode, result);
        return;
    }
    if (result == HEALTH_RESULT_HEALTHY && opencode->service.process.running) {
        opencode->ready = true;
        opencode->misses = 0;
        uv_timer_start(&opencode->next_probe, on_next_probe, PROBE_LIVENESS_EVERY_MS,
                       PROBE_LIVENESS_EVERY_MS);
        service_ready(&opencode->service);
        return;
    }
    uv_timer_start(&opencode->next_probe, on_next_probe,
                   probe_schedule_wait_ms(elapsed_ms(opencode)), 0);
}

static void stop_probing(struct opencode *opencode)
{
    uv_timer_stop(&opencode->next_probe);
    health_probe_cancel(&opencode->probe);
    opencode->ready = false;
}

/* The line comes when the handler is there, which the open port does not mean: ask at once. */
static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct opencode *opencode = user;

    child_log_line(opencode->log, "[opencode] ", line, len, dropped);
    if (!opencode->ready && len > 0)
        snprintf(opencode->last_line, sizeof opencode->last_line, "%s", line);
    if (opencode->ready || strncmp(line, LISTENING_LINE, sizeof LISTENING_LINE - 1) != 0)
        return;
    uv_timer_stop(&opencode->next_probe);
    health_probe_start(&opencode->probe, probe_schedule_limit_ms(elapsed_ms(opencode)));
}

static const struct sockaddr *address_of(const struct opencode *opencode)
{
    return (const struct sockaddr *)&opencode->probe.address;
}

/* Whoever already listens there would be taken for our OpenCode (S-312). */
static int check_port_is_free(const struct opencode *opencode, struct err *err)
{
    if (listeners_leave_free(address_of(opencode)))
        return 0;
    return err_set_sys(err, EADDRINUSE, "start opencode: port %d belongs to another process",
                       OPENCODE_PORT);
}

/* S-349. Not for the first of all starts: what is there then is somebody's own, and stays. */
static uint64_t hold_back_ms(void *user)
{
    struct opencode *opencode = user;
    bool busy = opencode->service.process.pid > 0 && !listeners_leave_free(address_of(opencode));
    enum port_wait_step step = port_wait_step(&opencode->port_wait, clock_monotonic_ms(), busy);

    if (step == PORT_WAIT_KILL) {
        pid_t pid = listeners_kill(address_of(opencode));

        if (pid == 0) { /* the start will say whose it is not */
            opencode->port_wait = (struct port_wait){0};
            return 0;
        }
        log_at(opencode->log, LOG_WARNING, "opencode.port_busy", LOG_NUM("port", OPENCODE_PORT),
               LOG_NUM("killed_pid", pid));
    }
    return step == PORT_WAIT_OVER ? 0 : PORT_WAIT_LOOK_MS;
}

static int build_environment(const struct config *config, struct child_env *env)
{
    AUTO_FREE char *content = config_content_build(config);

    if (!content || child_env_copy(env, environ) != 0)
        return -1;
    if (staged_commands_extend_path(config, env) != 0 ||
        child_env_set(env, "OPENCODE_CONFIG_CONTENT", content) != 0 ||
        child_env_set(env, "OPENCODE_CLIENT", "serve") != 0) {
        child_env_free(env);
        return -1;
    }
    return 0;
}

static int start_process(const struct opencode *opencode, struct process *process,
                         const struct child_env *env, struct err *err)
{
    char port[8];
    const char *const argv[] = {PROGRAM,        "serve",      "--port",
                                port,           "--hostname", opencode->config->opencode_host,
                                "--print-logs", NULL};
    struct spawn_options options = {
        .program = argv[0],
        .argv = argv,
        .envp = (const char *const *)env->variables,
        .directory = opencode_directory(opencode->config),
    };

    snprintf(port, sizeof port, "%d", OPENCODE_PORT);
    return process_start(process, &options, -1, -1, err);
}

static int spawn_opencode(void *user, struct process *process, struct err *err)
{
    struct opencode *opencode = user;
    struct child_env env;
    int rc;

    if (check_port_is_free(opencode, err) != 0)
        return -1;
    if (build_environment(opencode->config, &env) != 0)
        return err_set(err, ERR_NO_MEMORY, "start opencode: out of memory");
    if (process->pid > 0) /* not the first start, right after the staging */
        staging_check(opencode->config, opencode->log);
    /* Decision 6: that there is a password, not which. */
    log_at(opencode->log, LOG_INFO, "opencode.start",
           LOG_STR("hostname", opencode->config->opencode_host),
           LOG_STR("password", opencode->config->opencode_password ? "set" : "none"));
    rc = start_process(opencode, process, &env, err);
    child_env_free(&env);
    if (rc != 0)
        return -1;
    opencode->ready = false;
    opencode->last_line[0] = '\0';
    opencode->started_ms = clock_monotonic_ms();
    uv_timer_start(&opencode->next_probe, on_next_probe, probe_schedule_wait_ms(0), 0);
    return 0;
}

static void tell_failure(struct opencode *opencode)
{
    const struct err *error = &opencode->service.error;
    struct err explained = *error;

    if (*opencode->last_line && !opencode->ready)
        err_set(&explained, error->class, "%s; its last line: %s", error->text,
                opencode->last_line);
    opencode->listener.on_failed(opencode->listener.user, &explained);
}

static void on_notice(void *user, enum service_notice notice)
{
    struct opencode *opencode = user;
    struct opencode_listener *listener = &opencode->listener;

    if (notice != SERVICE_NOTICE_READY)
        stop_probing(opencode);
    switch (notice) {
    case SERVICE_NOTICE_READY:
        log_at(opencode->log, LOG_INFO, "opencode.ready",
               LOG_NUM("duration_ms", elapsed_ms(opencode)));
        listener->on_ready(listener->user);
        break;
    case SERVICE_NOTICE_EXITED:
        break;
    case SERVICE_NOTICE_DOWN:
        listener->on_down(listener->user);
        break;
    case SERVICE_NOTICE_FAILED:
        tell_failure(opencode);
        break;
    case SERVICE_NOTICE_STOPPED:
        listener->on_stopped(listener->user);
        break;
    }
}

static void on_read_ahead(void *user, const cJSON *result, const struct err *err)
{
    struct opencode *opencode = user;

    if (!json_get_bool(result, "ok", false))
        log_at(opencode->log, LOG_DEBUG, "opencode.read_ahead_failed",
               LOG_STR("error_message", err ? err->text : json_get_string(result, "error")));
}

void opencode_read_ahead(struct opencode *opencode)
{
    AUTO_JSON cJSON *input = cJSON_CreateObject();
    struct err err;

    json_add_string(input, "program", PROGRAM);
    if (worker_start(&opencode->read_ahead, input, OPENCODE_START_LIMIT_MS, &err) != 0)
        on_read_ahead(opencode, NULL, &err);
}

int opencode_init(struct opencode *opencode, uv_loop_t *loop, struct reaper *reaper,
                  struct log *log, const struct config *config, struct opencode_listener listener,
                  struct err *err)
{
    *opencode = (struct opencode){.config = config, .log = log, .listener = listener};
    service_init(
        &opencode->service, "opencode", loop, reaper, log,
        (struct service_limits){.start_ms = OPENCODE_START_LIMIT_MS, .end_grace_ms = END_GRACE_MS},
        (struct service_owner){.spawn = spawn_opencode,
                               .hold_back_ms = hold_back_ms,
                               .on_notice = on_notice,
                               .on_line = on_line,
                               .user = opencode});
    worker_init(&opencode->read_ahead, READ_AHEAD_WORKER, loop, reaper, log,
                (struct worker_listener){.on_done = on_read_ahead, .user = opencode});
    uv_timer_init(loop, &opencode->next_probe);
    opencode->next_probe.data = opencode;
    return health_probe_init(&opencode->probe, loop, config->opencode_host, OPENCODE_PORT,
                             config->opencode_username, config->opencode_password, on_probe_result,
                             opencode, err);
}

void opencode_close(struct opencode *opencode)
{
    service_close(&opencode->service);
    health_probe_close(&opencode->probe);
    worker_close(&opencode->read_ahead);
    uv_close((uv_handle_t *)&opencode->next_probe, NULL);
}

void opencode_set_prompt_running(struct opencode *opencode, bool running)
{
    opencode->prompt_running = running;
    opencode->last_prompt_ms = clock_monotonic_ms();
    opencode->misses = 0;
}

void opencode_start_early(struct opencode *opencode)
{
    service_start_early(&opencode->service);
}

void opencode_start(struct opencode *opencode)
{
    service_start(&opencode->service);
}

void opencode_stop(struct opencode *opencode, uint64_t grace_ms)
{
    stop_probing(opencode);
    service_stop(&opencode->service, grace_ms);
}

void opencode_kill(struct opencode *opencode)
{
    service_kill(&opencode->service);
}
