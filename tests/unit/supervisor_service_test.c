#include "supervisor/service/service.h"
#include "tests/unit/check.h"
#include "tests/unit/growth.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PATIENCE_MS 60000
#define WARM_UP 20
#define RESTARTS 100

/* One service whose process ends at once, again and again. */
struct stage {
    uv_loop_t loop;
    struct reaper reaper;
    struct service service;
    uv_timer_t patience;
    const char *script;
    int deaths;
    struct holding before, after;
    pid_t left_behind; /* what the script says it leaves */
    bool stopped;
    int held_back;       /* how often a start was asked for */
    int hold_back_to;    /* and from which time on it is let go */
    int held_back_first; /* how often before the first start */
};

static int spawn(void *user, struct process *process, struct err *err)
{
    struct stage *stage = user;
    const char *const argv[] = {"sh", "-c", stage->script, NULL};
    struct spawn_options options = {.program = argv[0], .argv = argv};

    if (stage->held_back_first == 0)
        stage->held_back_first = stage->held_back;
    return process_start(process, &options, -1, -1, err);
}

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct stage *stage = user;

    (void)len;
    (void)dropped;
    stage->left_behind = atoi(line);
}

static void on_notice(void *user, enum service_notice notice)
{
    struct stage *stage = user;

    if (notice == SERVICE_NOTICE_STOPPED) {
        stage->stopped = true;
        uv_stop(&stage->loop);
    }
    if (notice != SERVICE_NOTICE_EXITED)
        return;
    /* As after a stable minute: no pause before the next start. */
    stage->service.policy.deaths = 0;
    stage->deaths++;
    if (stage->deaths == WARM_UP) {
        stage->before = look_at_holding();
    } else if (stage->deaths == WARM_UP + RESTARTS) {
        stage->after = look_at_holding();
        uv_stop(&stage->loop);
    }
}

static uint64_t hold_back_ms(void *user)
{
    struct stage *stage = user;

    return ++stage->held_back < stage->hold_back_to ? 1 : 0;
}

static void on_patience_over(uv_timer_t *timer)
{
    (void)timer;
    printf("  the service test waited too long\n");
    abort();
}

static void open_stage(struct stage *stage)
{
    *stage = (struct stage){.script = "echo a line; exit 1"};
    uv_loop_init(&stage->loop);
    reaper_init(&stage->reaper, &stage->loop, NULL, NULL);
    service_init(&stage->service, "test", &stage->loop, &stage->reaper, NULL,
                 (struct service_limits){0},
                 (struct service_owner){.spawn = spawn,
                                        .hold_back_ms = hold_back_ms,
                                        .on_notice = on_notice,
                                        .on_line = on_line,
                                        .user = stage});
    uv_timer_init(&stage->loop, &stage->patience);
    uv_timer_start(&stage->patience, on_patience_over, PATIENCE_MS, 0);
}

static void close_stage(struct stage *stage)
{
    service_close(&stage->service);
    reaper_close(&stage->reaper);
    uv_close((uv_handle_t *)&stage->patience, NULL);
    while (uv_run(&stage->loop, UV_RUN_DEFAULT) != 0)
        continue;
    CHECK_INT(uv_loop_close(&stage->loop), 0);
}

int main(void)
{
    TEST("P17: a hundred restarts of a service cost no descriptor and no memory") {
        struct stage stage;

        open_stage(&stage);
        service_start(&stage.service);
        uv_run(&stage.loop, UV_RUN_DEFAULT);
        CHECK_INT(stage.deaths, WARM_UP + RESTARTS);
        CHECK_INT(stage.after.descriptors, stage.before.descriptors);
        CHECK(stage.after.resident_kib - stage.before.resident_kib <= growth_allowed_kib());
        service_stop(&stage.service, 0);
        while (!stage.stopped)
            uv_run(&stage.loop, UV_RUN_ONCE);
        close_stage(&stage);
    }
    TEST("S-349: what is left of a process's group is killed when it dies, before the next start") {
        struct stage stage;

        prctl(PR_SET_CHILD_SUBREAPER, 1);
        open_stage(&stage);
        stage.script = "sleep 1000 & echo $!; exit 1";
        service_start(&stage.service);
        stage.hold_back_to = 1 << 30; /* no second start */
        while (stage.deaths == 0 || kill(stage.left_behind, 0) == 0)
            uv_run(&stage.loop, UV_RUN_ONCE);
        CHECK(stage.left_behind > 0 && errno == ESRCH);
        service_stop(&stage.service, 0);
        CHECK(stage.stopped);
        close_stage(&stage);
    }
    TEST("S-349: a start that is held back begins when nothing holds it any more") {
        struct stage stage;

        open_stage(&stage);
        stage.hold_back_to = 3;
        service_start(&stage.service);
        CHECK(!stage.service.process.running);
        while (stage.deaths == 0)
            uv_run(&stage.loop, UV_RUN_ONCE);
        CHECK_INT(stage.held_back_first, 3);
        service_stop(&stage.service, 0);
        while (!stage.stopped)
            uv_run(&stage.loop, UV_RUN_ONCE);
        close_stage(&stage);
    }
    TEST("S-349: a restart that is held back does not hold up a stop") {
        struct stage stage;

        open_stage(&stage);
        service_start(&stage.service);
        stage.hold_back_to = 1 << 30;
        while (stage.held_back < 10)
            uv_run(&stage.loop, UV_RUN_ONCE);
        CHECK_INT(stage.deaths, 1);
        service_stop(&stage.service, 1000000);
        CHECK(stage.stopped);
        close_stage(&stage);
    }
    return check_done();
}
