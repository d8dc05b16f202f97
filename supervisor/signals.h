/*
 * The signals that mean something to the supervisor (S-359): SIGTERM, SIGINT, SIGHUP and SIGQUIT ask
 * for the end, SIGUSR1 for a status line. For PID 1 the kernel drops a signal without a handler, so
 * they are held from the first moment of main until the handlers are there, and again when they are gone:
 * what comes after the end has begun to be over changes nothing. Embedded; stays in place until
 * signals_close() and the loop have run.
 */
#ifndef SUPERVISOR_SIGNALS_H
#define SUPERVISOR_SIGNALS_H

#include "common/err.h"

#include <signal.h>
#include <uv.h>

#define SIGNALS_COUNT 5

struct signals_listener {
    void (*on_end_wanted)(void *user, const char *signal_name);
    void (*on_status_wanted)(void *user);
    void *user;
};

/* Those that ask for the end, for who waits without a loop. */
void signals_fill_ends(sigset_t *set);
const char *signals_name(int number);

struct signals {
    struct signals_listener listener;
    uv_signal_t handles[SIGNALS_COUNT];
};

/* Blocks the signals; one that comes now is heard once signals_watch() is done. */
void signals_hold(void);

/* Also ignores SIGPIPE and SIGXFSZ, which become errors of the write: a limit of file sizes is no reason
 * to end. Blocks no signal any more, whoever blocked it. In both cases signals_close() is due. */
int signals_watch(struct signals *signals, uv_loop_t *loop, struct signals_listener listener,
                  struct err *err);
void signals_close(struct signals *signals);

#endif
