/*
 * Walks the boot plan: starts every step whose needs are met, hears of its end, decides with the
 * plan what a failure means. Owns the git sync, the hooks, the assets and the warm-up; OpenCode and
 * the bridge belong to the supervisor, which starts them when asked and says when they are up. Times
 * are milliseconds of the monotonic clock. Embedded; stays in place until boot_close() and the loop
 * have run, then boot_free().
 */
#ifndef SUPERVISOR_BOOT_BOOT_H
#define SUPERVISOR_BOOT_BOOT_H

#include "supervisor/boot/boot_assets.h"
#include "supervisor/boot/boot_phase.h"
#include "supervisor/boot/boot_plan.h"
#include "supervisor/boot/hooks.h"
#include "supervisor/boot/tunnel_wait.h"
#include "supervisor/credentials/credential_setup.h"
#include "supervisor/git_sync/git_sync.h"
#include "supervisor/opencode/warm_up.h"

struct boot_listener {
    void (*on_phase)(void *user, const struct boot_phase *phase);
    void (*on_warning)(void *user, const char *scope, const char *message,
                       const struct repository *repository);
    void (*start_opencode_early)(void *user); /* it is not waited for yet, and may fail */
    void (*start_opencode)(void *user);       /* nothing else is waited for; may follow the other */
    void (*start_bridge)(void *user);
    void (*on_done)(void *user);
    void (*on_fatal)(void *user, const struct err *err);
    void *user;
};

/* What sandbox.startup says of a kind of step (S-269). */
enum boot_success { BOOT_NOT_RUN, BOOT_SUCCEEDED, BOOT_FAILED };

struct boot {
    struct log *log;
    struct config *config; /* base_sha of its repositories is filled in (S-218) */
    struct boot_listener listener;
    struct boot_plan plan;
    struct credential_setup credentials;
    struct git_sync sync;
    struct hooks hooks;
    struct tunnel_wait tunnel;
    struct warm_up warm_up;
    struct boot_assets assets;
    unsigned begun;
    unsigned done;
    bool advancing;
    bool opencode_needed; /* start_opencode was called */
    bool over;            /* done, fatal or cancelled */
    enum boot_success sync_success;
    enum boot_success hook_success[HOOK_KIND_COUNT];
    enum boot_step failed;     /* the step that ended it */
    unsigned phases_told;      /* number of the last one */
    unsigned with_warning;     /* steps that failed, and it went on */
    uint64_t harness_since_ms; /* when OpenCode was waited for */
    uint64_t started_ms;
    uint64_t step_started_ms[BOOT_STEP_COUNT];
    uint64_t step_ms[BOOT_STEP_COUNT];
};

int boot_init(struct boot *boot, uv_loop_t *loop, struct reaper *reaper, struct log *log,
              struct config *config, const struct boot_plan_input *input,
              struct boot_listener listener, struct err *err);

/* `started_ms`: when the program was started, for the durations it logs. */
void boot_start(struct boot *boot, uint64_t started_ms);

/* A step that the listener carried out (OpenCode, bridge) is done. */
void boot_step_done(struct boot *boot, enum boot_step step);

/* The failure that ends it, as the phase that it happened in. `why` is redacted. */
void boot_tell_failure(struct boot *boot, const char *why);

/* Stops whatever is under way, hooks by SIGTERM; no callback is made any more (S-103). */
void boot_cancel(struct boot *boot);

/* The same by SIGKILL, when a cancelled hook had its time. */
void boot_kill(struct boot *boot);

/* Workers and hooks of the boot still run. */
bool boot_is_busy(const struct boot *boot);

/* The wide event at the end of a boot, good or bad (S-174, S-474). */
void boot_log_startup(const struct boot *boot, bool success);

void boot_close(struct boot *boot);
void boot_free(struct boot *boot);

#endif
