#include "supervisor/boot/tunnel_wait.h"

#include "common/clock.h"
#include "common/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (64 * 1024)
#define LOOK_AGAIN_MS 1000
#define PORTS_TEXT_MAX (TUNNEL_PORTS_MAX * 8)

static void print_ports(const struct tunnel_ports *ports, struct buf *out)
{
    for (size_t i = 0; i < ports->count; i++)
        buf_printf(out, "%s%u", i > 0 ? "," : "[", (unsigned)ports->ports[i]);
    buf_puts(out, "]");
}

void tunnel_wait_clear_stale(const struct config *config, struct log *log)
{
    const char *path = config->paths.tunnels;
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    struct stat st;
    struct err err;

    if ((config->boot_mode != BOOT_SNAPSHOT_RESTORE && config->tunnel_ports.count == 0) ||
        lstat(path, &st) != 0)
        return;
    if (file_read(path, &text, &err) != 0)
        log_at(log, LOG_WARNING, "tunnel.stale_check_read_failed", LOG_ERR(&err));
    else if (tunnel_file_is_of(buf_text(&text), config->sandbox_id)) {
        log_at(log, LOG_INFO, "tunnel.fresh_file_kept", LOG_STR("path", path));
        return;
    }
    if (unlink(path) == 0) {
        log_at(log, LOG_INFO, "tunnel.stale_file_cleared", LOG_STR("path", path));
        return;
    }
    err_set_sys(&err, errno, "delete %s", path);
    log_at(log, LOG_WARNING, "tunnel.stale_file_clear_failed", LOG_ERR(&err));
}

static void stop_watching(struct tunnel_wait *wait)
{
    wait->waiting = false;
    uv_fs_event_stop(&wait->watch);
    uv_timer_stop(&wait->look_again);
}

static void finish(struct tunnel_wait *wait)
{
    if (!wait->waiting)
        return;
    stop_watching(wait);
    wait->on_done(wait->user);
}

static bool is_complete(struct tunnel_wait *wait)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    struct err err;

    if (file_read(wait->config->paths.tunnels, &text, &err) != 0) {
        if (err.class != ERR_NOT_FOUND)
            log_at(wait->log, LOG_WARNING, "tunnel.env_file_read_failed", LOG_ERR(&err));
        return false;
    }
    return tunnel_file_is_complete(buf_text(&text), &wait->config->tunnel_ports,
                                   wait->config->sandbox_id);
}

static void on_look_again(uv_timer_t *timer);

static void look(struct tunnel_wait *wait)
{
    const struct config *config = wait->config;
    uint64_t waited_ms = clock_monotonic_ms() - wait->started_ms;
    AUTO_BUF struct buf ports = BUF_INIT(PORTS_TEXT_MAX);

    if (!wait->waiting)
        return;
    print_ports(&config->tunnel_ports, &ports);
    if (is_complete(wait)) {
        log_at(wait->log, LOG_INFO, "tunnel.env_file_ready", LOG_STR("path", config->paths.tunnels),
               LOG_JSON("ports", buf_text(&ports)), LOG_NUM("wait_ms", waited_ms));
        finish(wait);
    } else if (waited_ms >= wait->limit_ms) {
        log_at(wait->log, LOG_WARNING, "tunnel.env_file_wait_timeout",
               LOG_STR("path", config->paths.tunnels), LOG_JSON("ports", buf_text(&ports)),
               LOG_NUM("timeout_seconds", (double)wait->limit_ms / 1000));
        finish(wait);
    } else {
        uint64_t left_ms = wait->limit_ms - waited_ms;

        uv_timer_start(&wait->look_again, on_look_again,
                       left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS, 0);
    }
}

static void on_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status;
    look(watch->data);
}

static void on_look_again(uv_timer_t *timer)
{
    look(timer->data);
}

void tunnel_wait_init(struct tunnel_wait *wait, uv_loop_t *loop, struct log *log,
                      const struct config *config, void (*on_done)(void *user), void *user)
{
    *wait = (struct tunnel_wait){.log = log, .config = config, .on_done = on_done, .user = user};
    uv_fs_event_init(loop, &wait->watch);
    uv_timer_init(loop, &wait->look_again);
    wait->watch.data = wait;
    wait->look_again.data = wait;
}

void tunnel_wait_close(struct tunnel_wait *wait)
{
    uv_close((uv_handle_t *)&wait->watch, NULL);
    uv_close((uv_handle_t *)&wait->look_again, NULL);
}

void tunnel_wait_start(struct tunnel_wait *wait, uint64_t limit_ms)
{
    wait->limit_ms = limit_ms;
    wait->started_ms = clock_monotonic_ms();
    wait->waiting = true;
    /* Without inotify the timer alone must do. */
    uv_fs_event_start(&wait->watch, on_change, wait->config->paths.workspace, 0);
    look(wait);
}

void tunnel_wait_skip(struct tunnel_wait *wait)
{
    finish(wait);
}

void tunnel_wait_cancel(struct tunnel_wait *wait)
{
    stop_watching(wait);
}
