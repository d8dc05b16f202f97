/* No signal is lost: neither before the handlers are there, nor because the launcher had blocked it. */
#include "supervisor/signals.h"
#include "tests/unit/check.h"

#include <signal.h>
#include <string.h>

struct heard {
    struct signals signals;
    const char *end_wanted;
    int status_wanted;
};

static void on_end_wanted(void *user, const char *signal_name)
{
    struct heard *heard = user;

    heard->end_wanted = signal_name;
}

static void on_status_wanted(void *user)
{
    struct heard *heard = user;

    heard->status_wanted++;
}

/* Watches, hears what is there, and closes. */
static void listen_once(struct heard *heard)
{
    uv_loop_t loop;
    struct err err;

    memset(heard, 0, sizeof *heard);
    uv_loop_init(&loop);
    CHECK_INT(signals_watch(&heard->signals, &loop,
                            (struct signals_listener){.on_end_wanted = on_end_wanted,
                                                      .on_status_wanted = on_status_wanted,
                                                      .user = heard},
                            &err),
              0);
    uv_run(&loop, UV_RUN_NOWAIT);
    signals_close(&heard->signals);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

int main(void)
{
    struct heard heard;

    TEST("a signal that came before the handlers is heard when they are there") {
        signals_hold();
        raise(SIGTERM);
        raise(SIGUSR1);
        listen_once(&heard);
        CHECK_STR(heard.end_wanted, "SIGTERM");
        CHECK_INT(heard.status_wanted, 1);
    }
    TEST("a launcher that had SIGTERM or SIGCHLD blocked does not make us deaf") {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGCHLD);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGTERM);
        listen_once(&heard);
        CHECK_STR(heard.end_wanted, "SIGTERM");
        sigprocmask(SIG_BLOCK, NULL, &set);
        CHECK(!sigismember(&set, SIGCHLD));
    }
    return check_done();
}
