/*
 * S-352: whoever dies below us is reaped, by SIGCHLD alone. There is no look every 5 s, so each way in
 * which a signal might not come, or one might stand for many, is a test here; the loop has nothing else
 * that could wake it but the deadline.
 */
#include "supervisor/process/reaper.h"

#include "tests/unit/check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 60000
#define CROWD 300

static uv_loop_t loop;
static uv_timer_t deadline;
static struct reaper reaper;
static size_t wanted;

static void look(void *user, bool children_left)
{
    (void)user;
    (void)children_left;
    if (reaper.orphans >= wanted)
        uv_stop(&loop);
}

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    uv_stop(&loop);
}

/* All of `count` orphans were reaped, and nobody is left. */
static bool reaps(size_t count)
{
    wanted = count;
    reaper.on_collected = look;
    if (reaper.orphans < wanted) {
        uv_timer_start(&deadline, on_deadline, DEADLINE_MS, 0);
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_timer_stop(&deadline);
    }
    return reaper.orphans == count && waitpid(-1, NULL, WNOHANG) < 0;
}

static void start(void)
{
    struct err err;

    uv_loop_init(&loop);
    uv_timer_init(&loop, &deadline);
    CHECK_INT(reaper_init(&reaper, &loop, NULL, &err), 0);
}

static void stop(void)
{
    reaper_close(&reaper);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static pid_t child_that_ends(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid;
}

/* It is dead, and stays a zombie. */
static void wait_for_death(pid_t pid)
{
    siginfo_t info;

    CHECK_INT(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* A parent that does not reap its children and ends when they are all dead: they come to us as
 * zombies. */
static void leave_zombies(size_t count)
{
    pid_t parent = fork();

    if (parent != 0)
        return;
    for (size_t i = 0; i < count; i++)
        wait_for_death(child_that_ends());
    _exit(0);
}

static void test_before_the_watch(void)
{
    TEST("who died before SIGCHLD was watched, while it was ignored as by default, is reaped") {
        wait_for_death(child_that_ends());
        start();
        CHECK(reaps(1));
        stop();
    }
}

static void test_signals(void)
{
    sigset_t children, before;

    start();
    TEST("many that die while the signal is blocked give one signal, and all are reaped") {
        sigemptyset(&children);
        sigaddset(&children, SIGCHLD);
        sigprocmask(SIG_BLOCK, &children, &before);
        for (int i = 0; i < CROWD; i++)
            wait_for_death(child_that_ends());
        sigprocmask(SIG_SETMASK, &before, NULL);
        CHECK(reaps(CROWD));
    }
    TEST("zombies whose parent ends are ours, and the kernel says so, with the signal blocked or "
         "not") {
        reaper.orphans = 0;
        leave_zombies(1);
        CHECK(reaps(2));
        reaper.orphans = 0;
        sigprocmask(SIG_BLOCK, &children, &before);
        leave_zombies(CROWD);
        /* The parent is dead once its own death is to be seen: its children are ours then. */
        {
            siginfo_t info;

            CHECK_INT(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        CHECK(reaps(CROWD + 1));
    }
    TEST("they die while others are being reaped, and none is forgotten") {
        reaper.orphans = 0;
        for (int i = 0; i < CROWD; i++)
            leave_zombies(2);
        CHECK(reaps(3 * CROWD));
    }
    stop();
}

int main(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    test_before_the_watch();
    test_signals();
    return check_done();
}
