/*
 * The actor around service_policy: one process that is kept running (OpenCode, the bridge). Its
 * owner knows how to start it and what readiness means; this knows when. Embedded; stays in place
 * until service_close() and the loop have run. Times in milliseconds.
 */
#ifndef SUPERVISOR_SERVICE_SERVICE_H
#define SUPERVISOR_SERVICE_SERVICE_H

#include "supervisor/process/oom_kills.h"
#include "supervisor/process/process.h"
#include "supervisor/service/service_policy.h"

#include <uv.h>

enum service_notice {
    SERVICE_NOTICE_READY,
    SERVICE_NOTICE_EXITED, /* the process died, whatever comes next; see exit_code */
    SERVICE_NOTICE_DOWN,   /* it died or must go; it will be started again */
    SERVICE_NOTICE_FAILED, /* given up; `error` says why */
    SERVICE_NOTICE_STOPPED,
};

struct service_owner {
    /* Starts the process with process_start(). */
    int (*spawn)(void *user, struct process *process, struct err *err);
    /* How long a start must still be held back; 0: not. Asked again after that time. May be NULL. */
    uint64_t (*hold_back_ms)(void *user);
    void (*on_notice)(void *user, enum service_notice notice);
    line_fn *on_line;
    void *user;
};

struct service_limits {
    uint64_t start_ms;     /* spawn to ready; 0: ready as soon as it runs */
    uint64_t end_grace_ms; /* SIGTERM to SIGKILL of an unhealthy one */
    int hopeless_exit;     /* the exit code of what no restart repairs; 0: none */
};

struct service {
    const char *name; /* "opencode": also the first half of its log events */
    struct log *log;
    struct service_owner owner;
    struct service_limits limits;
    struct service_policy policy;
    struct process process;
    uv_timer_t timer; /* start limit, pause, grace or stable time: one at a time */
    enum service_event timer_event;
    uint64_t stop_grace_ms;
    uint64_t grace_left_ms;
    struct oom_kills
        *oom_kills;   /* looked at when it is killed; NULL: not. Set after service_init() */
    int exit_code;    /* of the last death */
    struct err error; /* of the last failure */
};

void service_init(struct service *service, const char *name, uv_loop_t *loop, struct reaper *reaper,
                  struct log *log, struct service_limits limits, struct service_owner owner);
void service_close(struct service *service);

/* Before it is needed: a failure is only logged, and service_start() tries again. */
void service_start_early(struct service *service);

/* It is needed now: starts it unless it was, and from now on a failure or a start that takes too long
 * counts. */
void service_start(struct service *service);
void service_ready(struct service *service);

/* It runs but does not work: ended and started again. */
void service_unhealthy(struct service *service, const char *why);

/* It works, and is ended and started again all the same, without counting as a death. */
void service_recycle(struct service *service);

/* SIGTERM, and SIGKILL after `grace_ms`; SERVICE_NOTICE_STOPPED follows, at once when it is dead. */
void service_stop(struct service *service, uint64_t grace_ms);

/* No more patience: SIGKILL now. */
void service_kill(struct service *service);

#endif
