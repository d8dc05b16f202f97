/*
 * The ordered end of the sandbox (contract 7.3): walks shutdown_plan's phases, each as soon as the
 * one before has nothing left or its time is up. It runs once, on every path out of the program.
 * Embedded; stays in place until shutdown_close() and the loop have run.
 */
#ifndef SUPERVISOR_SHUTDOWN_SHUTDOWN_H
#define SUPERVISOR_SHUTDOWN_SHUTDOWN_H

#include "supervisor/boot/boot.h"
#include "supervisor/bridge_service/bridge_service.h"
#include "supervisor/opencode/opencode.h"
#include "supervisor/shutdown/shutdown_plan.h"

struct shutdown_parts {
    struct boot *boot;
    struct bridge_service *bridge;
    struct opencode *opencode;
    struct worker *report; /* the fatal report; the services' phase waits for it */
    struct reaper *reaper;
};

struct shutdown {
    struct shutdown_parts parts;
    struct log *log;
    uv_timer_t limit;  /* of the phase */
    uv_timer_t rescan; /* new descendants may have appeared */
    enum shutdown_phase phase;
    bool impatient;
    bool bridge_stopped;
    bool opencode_stopped;
    uint64_t started_ms;
    void (*on_over)(void *user);
    void *user;
};

void shutdown_init(struct shutdown *shutdown, uv_loop_t *loop, struct log *log,
                   struct shutdown_parts parts, void (*on_over)(void *user), void *user);
void shutdown_close(struct shutdown *shutdown);

/* Later calls do nothing. */
void shutdown_begin(struct shutdown *shutdown);
bool shutdown_has_begun(const struct shutdown *shutdown);

/* A second signal: every remaining grace is 0 (S-358). */
void shutdown_hurry(struct shutdown *shutdown);

/* Something may have ended. `children_left` as reaper_collect() says. */
void shutdown_look(struct shutdown *shutdown, bool children_left);
void shutdown_bridge_stopped(struct shutdown *shutdown);
void shutdown_opencode_stopped(struct shutdown *shutdown);

#endif
