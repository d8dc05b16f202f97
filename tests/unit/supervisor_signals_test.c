/* No signal is lost: neither before the handlers are there, nor because the launcher had blocked it. */
#include "supervisor/signals.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct heard {
    struct signals signals;
    const char *end_wanted;
    int status_wanted;
    bool death_is_heard; /* SIGCHLD is not blocked while they are watched */
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
    sigset_t blocked;

    memset(heard, 0, sizeof *heard);
    uv_loop_init(&loop);
    CHECK_INT(signals_watch(&heard->signals, &loop,
                            (struct signals_listener){.on_end_wanted = on_end_wanted,
                                                      .on_status_wanted = on_status_wanted,
                                                      .user = heard},
                            &err),
              0);
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    heard->death_is_heard = !sigismember(&blocked, SIGCHLD);
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
        CHECK(heard.death_is_heard);
    }
    TEST(
        "a signal that comes when the handlers are gone does not end the program with its number") {
        static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};

        listen_once(&heard);
        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
            raise(ends[i]);
        CHECK(!heard.end_wanted);
    }
    TEST("a file that may not grow is an error of the write") {
        struct rlimit nothing = {0}, before;
        FILE *file = tmpfile();

        listen_once(&heard);
        getrlimit(RLIMIT_FSIZE, &before);
        nothing.rlim_max = before.rlim_max;
        setrlimit(RLIMIT_FSIZE, &nothing);
        CHECK(write(fileno(file), "x", 1) < 0 && errno == EFBIG);
        setrlimit(RLIMIT_FSIZE, &before);
        fclose(file);
    }
    return check_done();
}
