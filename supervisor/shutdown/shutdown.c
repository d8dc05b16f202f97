#include "supervisor/shutdown/shutdown.h"

#include "common/clock.h"
#include "supervisor/process/descendants.h"

#include <signal.h>

#define RESCAN_MS 20

static void enter(struct shutdown *shutdown, enum shutdown_phase phase);

static uint64_t elapsed_ms(const struct shutdown *shutdown)
{
    return clock_monotonic_ms() - shutdown->started_ms;
}

static uint64_t grace_ms(const struct shutdown *shutdown)
{
    return shutdown_plan_grace_ms(shutdown->phase, elapsed_ms(shutdown), shutdown->impatient);
}

static void enter_next(struct shutdown *shutdown)
{
    enter(shutdown, shutdown->phase + 1);
}

static void on_limit(uv_timer_t *timer)
{
    enter_next(timer->data);
}

/* A process may fork while we signal, so the kill is repeated until nobody is left. */
static void on_rescan(uv_timer_t *timer)
{
    struct shutdown *shutdown = timer->data;

    descendants_signal(SIGKILL);
    reaper_collect(shutdown->parts.reaper);
}

static void begin_phase(struct shutdown *shutdown)
{
    switch (shutdown->phase) {
    case SHUTDOWN_BRIDGE:
        bridge_service_stop(shutdown->parts.bridge, grace_ms(shutdown));
        break;
    case SHUTDOWN_SERVICES:
        opencode_stop(shutdown->parts.opencode, grace_ms(shutdown));
        break;
    case SHUTDOWN_SWEEP_TERM:
        descendants_signal(SIGTERM);
        reaper_collect(shutdown->parts.reaper);
        break;
    case SHUTDOWN_SWEEP_KILL:
        uv_timer_start(&shutdown->rescan, on_rescan, 0, RESCAN_MS);
        break;
    default:
        break;
    }
}

static void enter(struct shutdown *shutdown, enum shutdown_phase phase)
{
    shutdown->phase = phase;
    uv_timer_stop(&shutdown->limit);
    uv_timer_stop(&shutdown->rescan);
    if (phase == SHUTDOWN_OVER) {
        log_at(shutdown->log, LOG_INFO, "supervisor.shutdown_complete",
               LOG_NUM("duration_ms", elapsed_ms(shutdown)));
        shutdown->on_over(shutdown->user);
        return;
    }
    uv_timer_start(&shutdown->limit, on_limit,
                   shutdown_plan_limit_ms(phase, elapsed_ms(shutdown), shutdown->impatient), 0);
    begin_phase(shutdown);
    if (shutdown->phase == phase)
        shutdown_look(shutdown, true);
}

void shutdown_init(struct shutdown *shutdown, uv_loop_t *loop, struct log *log,
                   struct shutdown_parts parts, void (*on_over)(void *user), void *user)
{
    *shutdown = (struct shutdown){.parts = parts, .log = log, .on_over = on_over, .user = user};
    uv_timer_init(loop, &shutdown->limit);
    uv_timer_init(loop, &shutdown->rescan);
    shutdown->limit.data = shutdown;
    shutdown->rescan.data = shutdown;
}

void shutdown_close(struct shutdown *shutdown)
{
    uv_close((uv_handle_t *)&shutdown->limit, NULL);
    uv_close((uv_handle_t *)&shutdown->rescan, NULL);
}

bool shutdown_has_begun(const struct shutdown *shutdown)
{
    return shutdown->phase != SHUTDOWN_NOT_BEGUN;
}

void shutdown_begin(struct shutdown *shutdown)
{
    if (shutdown_has_begun(shutdown))
        return;
    log_at(shutdown->log, LOG_INFO, "supervisor.shutdown_start");
    shutdown->started_ms = clock_monotonic_ms();
    /* What the boot still does is of no use any more (S-103). */
    boot_cancel(shutdown->parts.boot);
    enter(shutdown, SHUTDOWN_BRIDGE);
}

void shutdown_hurry(struct shutdown *shutdown)
{
    if (shutdown->phase == SHUTDOWN_OVER || shutdown->impatient)
        return;
    shutdown->impatient = true;
    boot_kill(shutdown->parts.boot);
    bridge_service_kill(shutdown->parts.bridge);
    opencode_kill(shutdown->parts.opencode);
    worker_kill(shutdown->parts.report);
    if (shutdown->phase < SHUTDOWN_SWEEP_KILL)
        uv_timer_start(&shutdown->limit, on_limit,
                       shutdown_plan_limit_ms(shutdown->phase, elapsed_ms(shutdown), true), 0);
}

void shutdown_look(struct shutdown *shutdown, bool children_left)
{
    bool over = false;

    switch (shutdown->phase) {
    case SHUTDOWN_BRIDGE:
        over = shutdown->bridge_stopped;
        break;
    case SHUTDOWN_SERVICES:
        over = shutdown->opencode_stopped && !boot_is_busy(shutdown->parts.boot) &&
               !shutdown->parts.report->process.running;
        break;
    case SHUTDOWN_SWEEP_TERM:
    case SHUTDOWN_SWEEP_KILL:
        over = !children_left;
        break;
    default:
        break;
    }
    if (over)
        enter(shutdown, shutdown->phase < SHUTDOWN_SERVICES ? shutdown->phase + 1
                        : children_left                     ? SHUTDOWN_SWEEP_TERM
                                                            : SHUTDOWN_OVER);
}

void shutdown_bridge_stopped(struct shutdown *shutdown)
{
    shutdown->bridge_stopped = true;
    shutdown_look(shutdown, true);
}

void shutdown_opencode_stopped(struct shutdown *shutdown)
{
    shutdown->opencode_stopped = true;
    shutdown_look(shutdown, true);
}
