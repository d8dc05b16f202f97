#include "common/clock.h"
#include "supervisor/process/descendants.h"
#include "supervisor/process/process.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLOOD_TURNS 2000
#define PATIENCE_MS 10000
#define ORPHANS 1000

/* A loop with a reaper and one process, and what was heard of it. */
struct stage {
    uv_loop_t loop;
    struct reaper reaper;
    struct process process;
    uv_timer_t patience;
    char lines[4096];
    size_t line_count;
    int exits;
    int exit_code;
    bool children_left;
    bool lines_came_first;
    const char *next_script; /* started from on_exit */
};

static int run(struct stage *stage, const char *script);

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct stage *stage = user;

    (void)dropped;
    stage->lines_came_first = stage->exits == 0;
    stage->line_count++;
    if (strlen(stage->lines) + len + 2 < sizeof stage->lines)
        strcat(strcat(stage->lines, line), "|");
}

static void on_exited(void *user, int exit_code)
{
    struct stage *stage = user;

    stage->exits++;
    stage->exit_code = exit_code;
    if (stage->next_script)
        CHECK_INT(run(stage, stage->next_script), 0);
    stage->next_script = NULL;
}

static void on_collected(void *user, bool children_left)
{
    struct stage *stage = user;

    stage->children_left = children_left;
}

static void on_patience_over(uv_timer_t *timer)
{
    (void)timer;
    printf("  the process test waited too long\n");
    abort();
}

static void open_stage(struct stage *stage)
{
    *stage = (struct stage){.children_left = true};
    uv_loop_init(&stage->loop);
    reaper_init(&stage->reaper, &stage->loop, NULL, NULL);
    stage->reaper.on_collected = on_collected;
    stage->reaper.user = stage;
    process_init(
        &stage->process, &stage->loop, &stage->reaper, 1024,
        (struct process_listener){.on_line = on_line, .on_exit = on_exited, .user = stage});
    uv_timer_init(&stage->loop, &stage->patience);
    uv_timer_start(&stage->patience, on_patience_over, PATIENCE_MS, 0);
}

static int run(struct stage *stage, const char *script)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    struct spawn_options options = {.program = argv[0], .argv = argv};

    return process_start(&stage->process, &options, -1, -1, NULL);
}

static void wait_for_exit(struct stage *stage)
{
    while (stage->exits == 0)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

static void wait_until_childless(struct stage *stage)
{
    while (stage->children_left)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

static void close_stage(struct stage *stage)
{
    process_close(&stage->process);
    reaper_close(&stage->reaper);
    uv_close((uv_handle_t *)&stage->patience, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&stage->loop), 0);
}

static void test_one_child(struct stage *stage)
{
    TEST("a child's last words are heard before its death, and its death once") {
        open_stage(stage);
        CHECK_INT(run(stage, "echo out; echo err >&2; printf last; exit 7"), 0);
        wait_for_exit(stage);
        CHECK_STR(stage->lines, "out|err|last|");
        CHECK(stage->lines_came_first);
        CHECK_INT(stage->exit_code, 7);
        CHECK_INT(stage->exits, 1);
        close_stage(stage);
    }
    TEST("E1, E2: every exit code is what it is, and a death by signal minus its number") {
        static const int ends[] = {0,   1,        2,       32,       64,      127,      254,
                                   255, -SIGTERM, -SIGHUP, -SIGQUIT, -SIGINT, -SIGKILL, -SIGSEGV};

        for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
            char script[64];

            snprintf(script, sizeof script, ends[i] < 0 ? "kill -%d $$" : "exit %d", abs(ends[i]));
            open_stage(stage);
            CHECK_INT(run(stage, script), 0);
            wait_for_exit(stage);
            CHECK_INT(stage->exit_code, ends[i]);
            close_stage(stage);
        }
    }
    TEST("the next run may be started from the death of the last, and has an output of its own") {
        open_stage(stage);
        stage->next_script = "echo second; exit 2";
        CHECK_INT(run(stage, "sleep 1000 & echo $! first; exit 1"), 0);
        while (stage->exits < 2)
            uv_run(&stage->loop, UV_RUN_ONCE);
        CHECK(strstr(stage->lines, " first|second|") != NULL);
        CHECK_INT(stage->exit_code, 2);
        kill(atoi(stage->lines), SIGKILL);
        close_stage(stage);
    }
    TEST("a grandchild that holds the pipe does not delay the leader's death") {
        uint64_t begun = clock_monotonic_ms();

        open_stage(stage);
        CHECK_INT(run(stage, "sleep 100 & exit 0"), 0);
        wait_for_exit(stage);
        CHECK(clock_monotonic_ms() - begun < 5000);
        process_kill_group(&stage->process);
        wait_until_childless(stage);
        close_stage(stage);
    }
    TEST("with keeps_output a server left behind may go on writing") {
        open_stage(stage);
        stage->process.keeps_output = true;
        CHECK_INT(run(stage, "(tail --pid=$$ -s 0.05 -f /dev/null; echo later) & echo now"), 0);
        wait_for_exit(stage);
        while (!strstr(stage->lines, "later"))
            uv_run(&stage->loop, UV_RUN_ONCE);
        wait_until_childless(stage);
        close_stage(stage);
    }
}

static void test_flood(struct stage *stage)
{
    TEST("a child that prints without end gets a chunk in each turn of the loop, and no more") {
        size_t most = 0;

        open_stage(stage);
        CHECK_INT(run(stage, "exec yes"), 0);
        for (int turn = 0; turn < FLOOD_TURNS; turn++) {
            size_t before = stage->line_count;

            uv_run(&stage->loop, UV_RUN_ONCE);
            most = stage->line_count - before > most ? stage->line_count - before : most;
        }
        CHECK(stage->line_count > PROCESS_CHUNK);
        CHECK(most <= PROCESS_CHUNK / strlen("y\n") + 1);
        process_signal(&stage->process, SIGKILL);
        wait_until_childless(stage);
        close_stage(stage);
    }
}

static void test_many(struct stage *stage)
{
    TEST("a program that cannot be started is an error that names it, and no death") {
        const char *const argv[] = {"/nowhere/program", NULL};
        struct spawn_options options = {.program = argv[0], .argv = argv};
        struct err err;

        open_stage(stage);
        CHECK_INT(process_start(&stage->process, &options, -1, -1, &err), -1);
        CHECK(strstr(err.text, "/nowhere/program") != NULL);
        CHECK_INT(err.sys, ENOENT);
        close_stage(stage);
    }
    TEST("a thousand orphans are reaped, and the child that made them is not mixed up with them") {
        open_stage(stage);
        CHECK_INT(
            run(stage, "i=0; while [ $i -lt 1000 ]; do (sleep 0.2 &) ; i=$((i+1)); done; exit 3"),
            0);
        wait_for_exit(stage);
        CHECK_INT(stage->exit_code, 3);
        wait_until_childless(stage);
        CHECK(stage->reaper.orphans >= ORPHANS);
        close_stage(stage);
    }
    TEST("descendants are found in their own sessions, daemonised or not") {
        open_stage(stage);
        CHECK_INT(run(stage,
                      "(setsid sh -c '(sleep 100 &) ; exec sleep 100' &) ; setsid sleep 100 & "
                      "echo ready; sleep 100"),
                  0);
        while (!strstr(stage->lines, "ready"))
            uv_run(&stage->loop, UV_RUN_ONCE);
        while (stage->children_left) {
            descendants_signal(SIGKILL);
            uv_run(&stage->loop, UV_RUN_ONCE);
        }
        CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
        CHECK_INT(errno, ECHILD);
        close_stage(stage);
    }
}

int main(void)
{
    static struct stage stage;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    test_one_child(&stage);
    test_flood(&stage);
    test_many(&stage);
    return check_done();
}
