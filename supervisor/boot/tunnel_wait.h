/*
 * Waits until the launcher has written the tunnel file, or not any longer (S-415..S-418). It runs
 * beside the clone and setup.sh; only start.sh waits for it. Embedded; stays in place until
 * tunnel_wait_close() and the loop have run. `config` must outlive it.
 */
#ifndef SUPERVISOR_BOOT_TUNNEL_WAIT_H
#define SUPERVISOR_BOOT_TUNNEL_WAIT_H

#include "common/log.h"
#include "supervisor/config/config.h"

#include <uv.h>

struct tunnel_wait {
    struct log *log;
    const struct config *config;
    void (*on_done)(void *user);
    void *user;
    uv_fs_event_t watch;
    uv_timer_t look_again; /* where the file system tells nothing */
    uint64_t started_ms;
    uint64_t limit_ms;
    bool waiting;
};

void tunnel_wait_init(struct tunnel_wait *wait, uv_loop_t *loop, struct log *log,
                      const struct config *config, void (*on_done)(void *user), void *user);
void tunnel_wait_close(struct tunnel_wait *wait);

/* Deletes the file of an earlier sandbox, which a snapshot brought along. */
void tunnel_wait_clear_stale(const struct config *config, struct log *log);

/* on_done is called once, perhaps before this returns, whether or not the file came. */
void tunnel_wait_start(struct tunnel_wait *wait, uint64_t limit_ms);

/* Nobody needs it any more: on_done is called now unless it was. */
void tunnel_wait_skip(struct tunnel_wait *wait);

/* on_done is not called any more. */
void tunnel_wait_cancel(struct tunnel_wait *wait);

#endif
