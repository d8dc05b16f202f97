/*
 * The repositories' own scripts, .openinspect/setup.sh and start.sh (contract section 4), one
 * repository after another. A hook is done when its bash exits; what it left running goes on, its
 * output is still read, and it is reaped as an orphan (S-267).
 *
 * Embedded; stays in place until hooks_close() and the loop have run, then hooks_free().
 */
#ifndef SUPERVISOR_BOOT_HOOKS_H
#define SUPERVISOR_BOOT_HOOKS_H

#include "supervisor/config/config.h"
#include "supervisor/process/process.h"

enum hook_kind { HOOK_SETUP, HOOK_START, HOOK_KIND_COUNT };

struct hooks_listener {
    /* A hook failed or timed out; `index` is its repository's. False: run no further hook. */
    bool (*on_failed)(void *user, enum hook_kind kind, size_t index, const struct err *err);
    /* All have run or been skipped. `success`: none failed. */
    void (*on_done)(void *user, enum hook_kind kind, bool success);
    void *user;
};

struct hook_run;

struct hooks {
    uv_loop_t *loop;
    struct reaper *reaper;
    struct log *log;
    const struct config *config;
    struct hooks_listener listener;
    struct hook_run *runs; /* every one so far: their output may still be read */
    enum hook_kind kind;
    uint64_t limit_ms[HOOK_KIND_COUNT]; /* of each script */
    size_t next;                        /* index of the repository whose hook runs next */
    bool success;
    bool cancelled;
    uint64_t setup_skipped; /* bit per repository whose setup.sh must not run again */
};

void hooks_init(struct hooks *hooks, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                const struct config *config, struct hooks_listener listener);

/* The checkout of this repository holds a session's work: its setup.sh ran before (S-202). */
void hooks_skip_setup_of(struct hooks *hooks, size_t index);

/* Some repository has a script of this kind. */
bool hooks_exist(const struct hooks *hooks, enum hook_kind kind);

/* Runs the hooks of this kind, each for `limit_ms` at most; on_done may be called before it returns. */
void hooks_start(struct hooks *hooks, enum hook_kind kind, uint64_t limit_ms);

/* SIGTERM to a running hook, SIGKILL after 2 s (S-268); no callback is made any more. */
void hooks_cancel(struct hooks *hooks);
void hooks_kill(struct hooks *hooks);
bool hooks_are_running(const struct hooks *hooks);

void hooks_close(struct hooks *hooks);
void hooks_free(struct hooks *hooks);

const char *hooks_kind_name(enum hook_kind kind);

#endif
