/*
 * The only caller of waitpid() in the supervisor (S-352). Every SIGCHLD collects until nothing is
 * left, because signals coalesce. Statuses go to whoever watches that pid; all others are orphans
 * that PID 1 (or a subreaper) inherited: they are counted and forgotten.
 *
 * No timer looks every 5 s, as S-352 has it beside the signal: an idle sandbox need not wake for it (the
 * health check of OpenCode looks, since it wakes anyway). The kernel tells us of every death that could
 * be missed (tests/unit/supervisor_reaper_test.c): one that comes while the signal is pending or blocked
 * stands behind it, one that comes during a collection gives a new one, and a zombie whose parent dies,
 * or whose debugger lets it go, is told to its new parent as if it had died then. Only who died before
 * the signal was watched gave none that counts; so the first collection is reaper_init()'s.
 *
 * No status is kept for a pid that nobody watches yet: a kept one would be given to the wrong
 * process once the kernel reuses the number. None can be missed either, since spawning and watching
 * happen in one turn of the loop, and waitpid() is called only from the loop.
 */
#ifndef SUPERVISOR_PROCESS_REAPER_H
#define SUPERVISOR_PROCESS_REAPER_H

#include "common/err.h"
#include "common/log.h"

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

/* `exit_code` is the status, or minus the signal number (S-342). */
typedef void reaped_fn(void *user, int exit_code);

/* Embedded in whoever waits for a process. */
struct reaper_watch {
    pid_t pid;
    reaped_fn *on_reaped;
    void *user;
    struct reaper_watch *next;
};

struct reaper {
    uv_signal_t child_signal;
    struct log *log;
    struct reaper_watch *watches;
    unsigned long orphans;
    void (*on_collected)(void *user, bool children_left); /* after each collection; may be NULL */
    void *user;
};

int reaper_init(struct reaper *reaper, uv_loop_t *loop, struct log *log, struct err *err);
void reaper_close(struct reaper *reaper);

/* `watch` must stay where it is until the process was reaped or reaper_forget() was called. */
void reaper_watch_process(struct reaper *reaper, struct reaper_watch *watch);
void reaper_forget(struct reaper *reaper, struct reaper_watch *watch);

/* Collects what died. True while there are children left. */
bool reaper_collect(struct reaper *reaper);

#endif
