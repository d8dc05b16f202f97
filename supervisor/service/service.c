#include "supervisor/service/service.h"

#include "common/random.h"

#include <signal.h>
#include <stdio.h>

#define EVENT_NAME_MAX 64
#define EXIT_CODE_NOT_STARTED 127 /* as a shell says it */
#define BYTES_PER_MIB (1024 * 1024)
#define LINE_MAX_BYTES (8 * 1024) /* S-314 */
/* OpenCode loses a SIGTERM that comes while it installs packages (contract/opencode.md section 2). */
#define TERMINATE_AGAIN_MS 1000

static void dispatch(struct service *service, enum service_event event);
static bool hold_back(struct service *service, enum service_event event);

static void log_event(struct service *service, enum log_level level, const char *what)
{
    char event[EVENT_NAME_MAX];

    snprintf(event, sizeof event, "%s.%s", service->name, what);
    log_at(service->log, level, event, LOG_NUM("exit_code", service->exit_code),
           LOG_NUM("restart_count", service->policy.deaths),
           LOG_STR("error_message", service->error.text));
}

static void on_timer(uv_timer_t *timer)
{
    struct service *service = timer->data;

    if (hold_back(service, service->timer_event))
        return;
    if (service->timer_event == SERVICE_EVENT_GRACE_OVER)
        log_event(service, LOG_WARNING, "stop_timeout"); /* S-365 */
    if (service->timer_event == SERVICE_EVENT_START_TOO_LONG)
        err_set(&service->error, ERR_TIMEOUT, "%s did not become healthy within %llu s",
                service->name, (unsigned long long)service->limits.start_ms / 1000);
    dispatch(service, service->timer_event);
}

static void arm(struct service *service, enum service_event event, uint64_t after_ms)
{
    service->timer_event = event;
    uv_timer_start(&service->timer, on_timer, after_ms, 0);
}

/* What is held back is still paused (or idle): a stop meanwhile finds nothing to wait for. */
static bool hold_back(struct service *service, enum service_event event)
{
    bool starts = event == SERVICE_EVENT_PAUSE_OVER ||
                  (event == SERVICE_EVENT_START && service->policy.state == SERVICE_IDLE);
    uint64_t ms = starts && service->owner.hold_back_ms
                      ? service->owner.hold_back_ms(service->owner.user)
                      : 0;

    if (ms > 0)
        arm(service, event, ms);
    return ms > 0;
}

/* Asks again every second until the grace period is over. */
static void on_terminate_again(uv_timer_t *timer)
{
    struct service *service = timer->data;

    process_signal(&service->process, SIGTERM);
    if (service->grace_left_ms <= TERMINATE_AGAIN_MS) {
        arm(service, SERVICE_EVENT_GRACE_OVER, service->grace_left_ms);
        return;
    }
    service->grace_left_ms -= TERMINATE_AGAIN_MS;
    uv_timer_start(timer, on_terminate_again, TERMINATE_AGAIN_MS, 0);
}

/* The kernel sends the same signal as anybody else; its counter says that it was the kernel. */
static void tell_oom_kill(struct service *service)
{
    char limit[32] = "";

    if (!service->oom_kills || oom_kills_look(service->oom_kills) == 0)
        return;
    if (service->oom_kills->limit_bytes)
        snprintf(limit, sizeof limit, " (%llu MiB)",
                 (unsigned long long)service->oom_kills->limit_bytes / BYTES_PER_MIB);
    err_set(&service->error, ERR_LIMIT,
            "%s was killed because the memory of the sandbox%s was used up", service->name, limit);
    log_event(service, LOG_ERROR, "oom_killed");
}

static void on_exited(void *user, int exit_code)
{
    struct service *service = user;

    service->exit_code = exit_code;
    /* Shells and servers it started must not survive it into the next start (S-349). */
    process_kill_group(&service->process);
    err_set(&service->error, ERR_IO,
            exit_code < 0 ? "%s was killed by signal %d" : "%s exited with status %d",
            service->name, exit_code < 0 ? -exit_code : exit_code);
    if (exit_code == -SIGKILL)
        tell_oom_kill(service);
    service->owner.on_notice(service->owner.user, SERVICE_NOTICE_EXITED);
    dispatch(service, exit_code > 0 && exit_code == service->limits.hopeless_exit
                          ? SERVICE_EVENT_EXITED_FOR_GOOD
                          : SERVICE_EVENT_EXITED);
}

void service_init(struct service *service, const char *name, uv_loop_t *loop, struct reaper *reaper,
                  struct log *log, struct service_limits limits, struct service_owner owner)
{
    *service = (struct service){.name = name, .log = log, .owner = owner, .limits = limits};
    process_init(
        &service->process, loop, reaper, LINE_MAX_BYTES,
        (struct process_listener){.on_line = owner.on_line, .on_exit = on_exited, .user = service});
    service->process.lines.user = owner.user;
    uv_timer_init(loop, &service->timer);
    service->timer.data = service;
}

void service_close(struct service *service)
{
    process_close(&service->process);
    uv_close((uv_handle_t *)&service->timer, NULL);
}

static void spawn(struct service *service)
{
    if (service->owner.spawn(service->owner.user, &service->process, &service->error) != 0) {
        service->exit_code = EXIT_CODE_NOT_STARTED;
        dispatch(service, SERVICE_EVENT_SPAWN_FAILED);
    } else if (service->limits.start_ms == 0)
        dispatch(service, SERVICE_EVENT_READY);
}

static void pause_before_restart(struct service *service)
{
    char event[EVENT_NAME_MAX];
    uint64_t ms = service_policy_pause_ms(&service->policy, random_u32());

    snprintf(event, sizeof event, "%s.restart", service->name);
    log_at(service->log, LOG_INFO, event, LOG_NUM("delay_s", (double)ms / 1000),
           LOG_NUM("restart_count", service->policy.deaths));
    arm(service, SERVICE_EVENT_PAUSE_OVER, ms);
}

static void terminate(struct service *service)
{
    service->grace_left_ms = service->policy.state == SERVICE_STOPPING
                                 ? service->stop_grace_ms
                                 : service->limits.end_grace_ms;
    on_terminate_again(&service->timer);
}

static void act(struct service *service, unsigned actions)
{
    struct service_owner *owner = &service->owner;

    if (actions & SERVICE_DISARM)
        uv_timer_stop(&service->timer);
    if (actions & SERVICE_COUNT_DEATH)
        log_event(service, LOG_ERROR, "crash");
    if (actions & SERVICE_TELL_DOWN)
        owner->on_notice(owner->user, SERVICE_NOTICE_DOWN);
    if (actions & SERVICE_TERMINATE)
        terminate(service);
    if (actions & SERVICE_KILL)
        process_signal(&service->process, SIGKILL);
    if (actions & SERVICE_PAUSE)
        pause_before_restart(service);
    if (actions & SERVICE_LIMIT_START && service->limits.start_ms > 0)
        arm(service, SERVICE_EVENT_START_TOO_LONG, service->limits.start_ms);
    if (actions & SERVICE_NOTE_FAILURE)
        log_event(service, LOG_WARNING, "early_start_failed");
    if (actions & SERVICE_AWAIT_STABLE)
        arm(service, SERVICE_EVENT_STABLE, SERVICE_STABLE_MS);
    if (actions & SERVICE_TELL_READY)
        owner->on_notice(owner->user, SERVICE_NOTICE_READY);
    if (actions & SERVICE_TELL_FAILED)
        owner->on_notice(owner->user, SERVICE_NOTICE_FAILED);
    if (actions & SERVICE_TELL_STOPPED)
        owner->on_notice(owner->user, SERVICE_NOTICE_STOPPED);
    /* Last, because it dispatches again. */
    if (actions & SERVICE_SPAWN)
        spawn(service);
}

static void dispatch(struct service *service, enum service_event event)
{
    act(service, service_policy_step(&service->policy, event));
}

void service_start_early(struct service *service)
{
    dispatch(service, SERVICE_EVENT_START_EARLY);
}

void service_start(struct service *service)
{
    if (!hold_back(service, SERVICE_EVENT_START))
        dispatch(service, SERVICE_EVENT_START);
}

void service_ready(struct service *service)
{
    dispatch(service, SERVICE_EVENT_READY);
}

void service_unhealthy(struct service *service, const char *why)
{
    err_set(&service->error, ERR_TIMEOUT, "%s %s", service->name, why);
    dispatch(service, SERVICE_EVENT_UNHEALTHY);
}

void service_recycle(struct service *service)
{
    dispatch(service, SERVICE_EVENT_RECYCLE);
}

void service_stop(struct service *service, uint64_t grace_ms)
{
    service->stop_grace_ms = grace_ms;
    dispatch(service, SERVICE_EVENT_STOP);
}

void service_kill(struct service *service)
{
    process_signal(&service->process, SIGKILL);
}
