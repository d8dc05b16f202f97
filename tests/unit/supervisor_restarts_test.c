/* OpenCode and the bridge as they really are, with all that belongs to a run of theirs, again and again. */
#include "supervisor/bridge_service/bridge_service.h"
#include "supervisor/opencode/opencode.h"
#include "tests/unit/check.h"
#include "tests/unit/growth.h"
#include "tests/unit/root_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <uv.h>

#define PATIENCE_MS 120000
#define WARM_UP 20
#define RESTARTS 100

struct stage {
    uv_loop_t loop;
    struct reaper reaper;
    struct config config;
    struct opencode opencode;
    struct bridge_service bridge;
    uv_timer_t patience;
    int opencode_deaths, bridge_deaths;
};

static const char *get_variable(void *user, const char *name)
{
    (void)user;
    if (strcmp(name, "CONTROL_PLANE_URL") == 0)
        return "http://127.0.0.1:9";
    if (strcmp(name, "SANDBOX_AUTH_TOKEN") == 0)
        return "a-token";
    if (strcmp(name, "SESSION_CONFIG") == 0)
        return "{\"session_id\":\"s1\"}";
    /* An address at which no other test listens. */
    return strcmp(name, "OPENCODE_HOSTNAME") == 0 ? "127.0.0.63" : NULL;
}

static void on_nothing(void *user)
{
    (void)user;
}

static void on_failed(void *user, const struct err *err)
{
    (void)user;
    printf("  given up: %s\n", err->text);
    abort();
}

/* The bridge's word that no prompt runs any more comes with each of its deaths. */
static void on_prompt(void *user, bool running)
{
    struct stage *stage = user;

    if (running)
        return;
    stage->bridge.service.policy.deaths = 0; /* as after a stable minute: no pause */
    stage->bridge_deaths++;
}

/* One that dies before it is needed is not started again by itself. */
static void on_collected(void *user, bool children_left)
{
    struct stage *stage = user;

    (void)children_left;
    if (stage->opencode.service.policy.state != SERVICE_IDLE)
        return;
    stage->opencode_deaths++;
    opencode_start_early(&stage->opencode);
}

static void on_patience_over(uv_timer_t *timer)
{
    (void)timer;
    printf("  the restarts took too long\n");
    abort();
}

static void open_stage(struct stage *stage)
{
    const struct flags flags = {.test_root = root, .era = ERA_CHOICE_CURRENT};

    config_parse(&stage->config, &flags, get_variable, NULL, "0", 0);
    CHECK_STR(buf_text(&stage->config.problems), "");
    uv_loop_init(&stage->loop);
    reaper_init(&stage->reaper, &stage->loop, NULL, NULL);
    CHECK_INT(opencode_init(&stage->opencode, &stage->loop, &stage->reaper, NULL, &stage->config,
                            (struct opencode_listener){.on_ready = on_nothing,
                                                       .on_down = on_nothing,
                                                       .on_failed = on_failed,
                                                       .on_stopped = on_nothing,
                                                       .user = stage},
                            NULL),
              0);
    bridge_service_init(&stage->bridge, &stage->loop, &stage->reaper, NULL, &stage->config,
                        "test-bridge",
                        (struct bridge_listener){.on_session_over = on_nothing,
                                                 .on_prompt = on_prompt,
                                                 .on_failed = on_failed,
                                                 .on_stopped = on_nothing,
                                                 .user = stage});
    uv_timer_init(&stage->loop, &stage->patience);
    uv_timer_start(&stage->patience, on_patience_over, PATIENCE_MS, 0);
}

static void close_stage(struct stage *stage)
{
    stage->reaper.on_collected = NULL;
    opencode_stop(&stage->opencode, 0);
    bridge_service_stop(&stage->bridge, 0);
    while (stage->opencode.service.process.running || stage->bridge.service.process.running)
        uv_run(&stage->loop, UV_RUN_ONCE);
    opencode_close(&stage->opencode);
    bridge_service_close(&stage->bridge);
    reaper_close(&stage->reaper);
    uv_close((uv_handle_t *)&stage->patience, NULL);
    while (uv_run(&stage->loop, UV_RUN_DEFAULT) != 0)
        continue;
    CHECK_INT(uv_loop_close(&stage->loop), 0);
    config_free(&stage->config);
}

static void run_until(struct stage *stage, int deaths)
{
    while (stage->opencode_deaths < deaths || stage->bridge_deaths < deaths)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

static void put_program(const char *path, const char *text)
{
    put_file(path, text);
    CHECK_INT(chmod(in_root(path), 0755), 0);
}

int main(void)
{
    static struct stage stage;
    char path[PATH_MAX];

    /* Where that is allowed, a network of its own: another run of the tests may use OpenCode's port. */
    unshare(CLONE_NEWNET);
    signal(SIGPIPE,
           SIG_IGN); /* as in the supervisor: a bridge may be gone before it is written to */
    root_begin();
    put_program("bin/opencode", "#!/bin/sh\necho 'opencode server listening on nothing'\nexit 1\n");
    put_program("bin/test-bridge", "#!/bin/sh\necho '{\"type\":\"connected\"}' >&3\nexit 1\n");
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", in_root("bin"));
    setenv("PATH", path, 1);
    CHECK_INT(file_make_directories(in_root("workspace"), 0755, NULL), 0);
    TEST("P17: a hundred restarts of OpenCode and of the bridge cost no descriptor and no memory") {
        struct holding before, after;

        open_stage(&stage);
        stage.reaper.on_collected = on_collected;
        stage.reaper.user = &stage;
        opencode_start_early(&stage.opencode);
        bridge_service_start(&stage.bridge);
        run_until(&stage, WARM_UP);
        before = look_at_holding();
        run_until(&stage, WARM_UP + RESTARTS);
        after = look_at_holding();
        /* A run has some of its own, and we look in the middle of one. */
        CHECK(after.descriptors - before.descriptors < RESTARTS / 10);
        CHECK(after.resident_kib - before.resident_kib <= growth_allowed_kib());
        close_stage(&stage);
    }
    root_end();
    return check_done();
}
