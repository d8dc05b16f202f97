#include "supervisor/signals.h"

#include "common/cleanup.h"

#include <signal.h>

static const struct {
    int number;
    const char *name;
} watched[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGHUP, "SIGHUP"},
    {SIGQUIT, "SIGQUIT"}, {SIGUSR1, "SIGUSR1"},
};
_Static_assert(ARRAY_LENGTH(watched) == SIGNALS_COUNT, "one handle for each signal");

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *signals = handle->data;
    struct signals_listener *listener = &signals->listener;

    if (number == SIGUSR1)
        listener->on_status_wanted(listener->user);
    else
        listener->on_end_wanted(listener->user, signals_name(number));
}

const char *signals_name(int number)
{
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        if (watched[i].number == number)
            return watched[i].name;
    }
    return "";
}

void signals_fill_ends(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        if (watched[i].number != SIGUSR1)
            sigaddset(set, watched[i].number);
    }
}

void signals_hold(void)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS_COUNT; i++)
        sigaddset(&set, watched[i].number);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Nothing stays blocked: a launcher that had SIGCHLD blocked would make us deaf for every death. */
static void release(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int signals_watch(struct signals *signals, uv_loop_t *loop, struct signals_listener listener,
                  struct err *err)
{
    int first_failure = 0;

    signals->listener = listener;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < SIGNALS_COUNT; i++) {
        int rc;

        uv_signal_init(loop, &signals->handles[i]);
        signals->handles[i].data = signals;
        rc = uv_signal_start(&signals->handles[i], on_signal, watched[i].number);
        if (rc != 0 && first_failure == 0)
            first_failure = rc;
    }
    release();
    return first_failure == 0 ? 0 : err_set_sys(err, -first_failure, "watch for signals");
}

void signals_close(struct signals *signals)
{
    /* One that comes from here on must not change the exit status, nor cut the last lines off. */
    signals_hold();
    for (size_t i = 0; i < SIGNALS_COUNT; i++)
        uv_close((uv_handle_t *)&signals->handles[i], NULL);
}
