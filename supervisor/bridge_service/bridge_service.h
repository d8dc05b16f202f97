/*
 * The bridge as a service (contract section 6): started with its channel on descriptor 3, restarted
 * when it dies, and told what the sandbox does. Its exit with 0 means that the control plane wants
 * this sandbox gone (S-332). Embedded; stays in place until bridge_service_close() and the loop have
 * run. `config` must outlive it.
 */
#ifndef SUPERVISOR_BRIDGE_SERVICE_BRIDGE_SERVICE_H
#define SUPERVISOR_BRIDGE_SERVICE_BRIDGE_SERVICE_H

#include "supervisor/bridge_service/bridge_channel.h"
#include "supervisor/config/config.h"
#include "supervisor/process/line_tail.h"
#include "supervisor/service/service.h"

#include <limits.h>

struct bridge_listener {
    void (*on_session_over)(void *user); /* it exited with 0 */
    void (*on_prompt)(void *user, bool running);
    void (*on_failed)(void *user, const struct err *err);
    void (*on_stopped)(void *user);
    void *user;
};

struct bridge_service {
    struct service service;
    const struct config *config;
    struct log *log;
    struct bridge_listener listener;
    struct bridge_channel channel;
    struct line_tail tail;
    char program[PATH_MAX];
    struct buf boot_line; /* the boot's latest phase, for a restarted bridge */
    const char
        *directory; /* that OpenCode works in; NULL: it is not ready. For a restarted bridge */
    bool connected;
    bool stopping;
};

/* `command` is --bridge-cmd's value or NULL. */
void bridge_service_init(struct bridge_service *bridge, uv_loop_t *loop, struct reaper *reaper,
                         struct log *log, const struct config *config, const char *command,
                         struct bridge_listener listener);
void bridge_service_close(struct bridge_service *bridge);

/* bridge.skip, when there is nothing to connect to (S-322). */
void bridge_service_log_skip(const struct bridge_service *bridge);

/* Only once; later calls do nothing. */
void bridge_service_start(struct bridge_service *bridge);
void bridge_service_stop(struct bridge_service *bridge, uint64_t grace_ms);
void bridge_service_kill(struct bridge_service *bridge);

void bridge_service_tell_phase(struct bridge_service *bridge, const struct boot_phase *phase);
/* `directory` is what its requests to OpenCode mean; it must stay. */
void bridge_service_tell_ready(struct bridge_service *bridge, const char *directory);
void bridge_service_tell_down(struct bridge_service *bridge);
void bridge_service_tell_fatal(struct bridge_service *bridge, const char *error);

/* True when the warning was handed over (S-325); otherwise it belongs into the file. */
bool bridge_service_tell_warning(struct bridge_service *bridge, const char *scope,
                                 const char *message, const struct repository *repository);

#endif
