#include "supervisor/boot/hooks.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "supervisor/process/line_tail.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_NAME_MAX 32
#define MS_PER_S 1000
#define TERM_GRACE_MS (2 * 1000)
#define LINE_MAX_BYTES LINE_TAIL_LINE_MAX

/* One script of one repository. */
struct hook_run {
    struct hooks *hooks;
    struct hook_run *older;
    struct process process;
    uv_timer_t limit;
    struct line_tail tail;
    enum hook_kind kind;
    size_t index;
    uint64_t started_ms;
    bool timed_out;
    bool terminated; /* its group was told to end, and is killed when `limit` runs out */
    bool ended;      /* what comes now is of its background children */
    char script[PATH_MAX];
};

static const char *const kind_names[] = {[HOOK_SETUP] = "setup", [HOOK_START] = "start"};
_Static_assert(ARRAY_LENGTH(kind_names) == HOOK_KIND_COUNT, "every kind of hook has a name");
_Static_assert(REPOSITORIES_MAX <= 64, "one bit for each repository");

const char *hooks_kind_name(enum hook_kind kind)
{
    return kind_names[kind];
}

static void run_next(struct hooks *hooks);

/* S-264: what a build's hook prints may be a build's secret. */
static bool may_show_output(const struct hooks *hooks)
{
    return hooks->config->boot_mode != BOOT_BUILD;
}

static uint64_t limit_ms(const struct hook_run *run)
{
    return run->hooks->limit_ms[run->kind];
}

static const char *event_name(char *out, enum hook_kind kind, const char *what)
{
    snprintf(out, EVENT_NAME_MAX, "%s.%s", kind_names[kind], what);
    return out;
}

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct hook_run *run = user;
    char event[EVENT_NAME_MAX];
    char lost[32];

    snprintf(lost, sizeof lost, "%zu", dropped);
    if (!may_show_output(run->hooks))
        return;
    for (size_t i = 0; i < len; i++) {
        if (line[i] == '\0') /* what follows is to be read, too */
            line[i] = ' ';
    }
    /* Not process.running: its last words may be read when it is gone already. */
    if (!run->ended)
        line_tail_add(&run->tail, line, len);
    log_at_of_child(run->hooks->log, event_name(event, run->kind, "stdout"), LOG_STR("line", line),
                    LOG_JSON("dropped_bytes", dropped > 0 ? lost : NULL));
}

/* The event of its end (S-263). */
static void log_end(struct hook_run *run, int exit_code)
{
    struct hooks *hooks = run->hooks;
    AUTO_BUF struct buf tail = BUF_INIT(LOG_VALUE_MAX);
    bool good = exit_code == 0 && !run->timed_out;
    const char *what = run->timed_out ? "timeout" : good ? "complete" : "failed";
    char event[EVENT_NAME_MAX];

    line_tail_print(&run->tail, &tail);
    log_at(hooks->log, good ? LOG_INFO : LOG_ERROR, event_name(event, run->kind, what),
           LOG_NUM("exit_code", exit_code), LOG_STR("script", run->script),
           LOG_NUM("duration_ms", clock_monotonic_ms() - run->started_ms),
           LOG_NUM("timeout_seconds", limit_ms(run) / MS_PER_S),
           LOG_STR("boot_mode", config_boot_mode_name(hooks->config->boot_mode)),
           LOG_STR("output_tail", good || !may_show_output(hooks) ? NULL : buf_text(&tail)));
}

/* Goes on with the next repository unless the owner says no. */
static void report_failure(struct hooks *hooks, size_t index, const struct err *err)
{
    struct hooks_listener *listener = &hooks->listener;

    hooks->success = false;
    if (!listener->on_failed(listener->user, hooks->kind, index, err))
        hooks->next = hooks->config->repositories.count;
}

/* What a person reads: which script, how it ended, and the last thing it said. */
static void describe_failure(const struct hook_run *run, int exit_code, struct err *err)
{
    const struct hooks *hooks = run->hooks;
    const struct repository *repository = &hooks->config->repositories.items[run->index];
    const char *name = kind_names[run->kind];
    const char *last_line = line_tail_last(&run->tail);
    const char *before = *last_line ? "; its last line: " : "";

    if (run->timed_out)
        err_set(err, ERR_TIMEOUT, "%s.sh of %s/%s did not end within %llu s%s%s", name,
                repository->owner, repository->name, (unsigned long long)limit_ms(run) / MS_PER_S,
                before, last_line);
    else
        err_set(err, ERR_IO, "%s.sh of %s/%s %s %d%s%s", name, repository->owner, repository->name,
                exit_code < 0 ? "was killed by signal" : "failed with status", abs(exit_code),
                before, last_line);
}

static void on_exited(void *user, int exit_code)
{
    struct hook_run *run = user;
    struct hooks *hooks = run->hooks;
    struct err err;

    run->ended = true;
    /* S-268: after a SIGTERM of ours its children have their 2 s, and then on_kill_time(). */
    if (!run->terminated || !process_group_lives(&run->process))
        uv_timer_stop(&run->limit);
    log_end(run, exit_code);
    describe_failure(run, exit_code, &err);
    line_tail_clear(&run->tail);
    if (hooks->cancelled)
        return;
    if (exit_code != 0 || run->timed_out)
        report_failure(hooks, run->index, &err);
    run_next(hooks);
}

static void on_kill_time(uv_timer_t *timer)
{
    struct hook_run *run = timer->data;

    process_signal(&run->process, SIGKILL);
    process_kill_group(&run->process);
}

static void terminate(struct hook_run *run)
{
    run->terminated = true;
    process_signal(&run->process, SIGTERM);
    uv_timer_start(&run->limit, on_kill_time, TERM_GRACE_MS, 0);
}

static void on_limit(uv_timer_t *timer)
{
    struct hook_run *run = timer->data;

    run->timed_out = true;
    terminate(run);
}

static struct hook_run *new_run(struct hooks *hooks, size_t index, const char *script)
{
    struct hook_run *run = calloc(1, sizeof *run);

    if (!run)
        return NULL;
    run->hooks = hooks;
    run->kind = hooks->kind;
    run->index = index;
    run->older = hooks->runs;
    hooks->runs = run;
    snprintf(run->script, sizeof run->script, "%s", script);
    process_init(&run->process, hooks->loop, hooks->reaper, LINE_MAX_BYTES,
                 (struct process_listener){.on_line = on_line, .on_exit = on_exited, .user = run});
    run->process.keeps_output = true;
    uv_timer_init(hooks->loop, &run->limit);
    run->limit.data = run;
    return run;
}

static int start_run(struct hooks *hooks, size_t index, const char *script, struct err *err)
{
    const struct repository *repository = &hooks->config->repositories.items[index];
    const char *const argv[] = {"bash", script, NULL};
    struct spawn_options options = {
        .program = argv[0], .argv = argv, .directory = repository->path};
    struct hook_run *run = new_run(hooks, index, script);
    char event[EVENT_NAME_MAX];

    if (!run)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    log_at(hooks->log, LOG_INFO, event_name(event, hooks->kind, "start"), LOG_STR("script", script),
           LOG_STR("repo_owner", repository->owner), LOG_STR("repo_name", repository->name),
           LOG_NUM("timeout_seconds", limit_ms(run) / MS_PER_S),
           LOG_STR("boot_mode", config_boot_mode_name(hooks->config->boot_mode)));
    run->started_ms = clock_monotonic_ms();
    if (process_start(&run->process, &options, -1, -1, err) != 0)
        return -1;
    uv_timer_start(&run->limit, on_limit, limit_ms(run), 0);
    return 0;
}

static void print_script_path(const struct hooks *hooks, size_t index, enum hook_kind kind,
                              char *script)
{
    snprintf(script, PATH_MAX, "%s/.openinspect/%s.sh",
             hooks->config->repositories.items[index].path, kind_names[kind]);
}

bool hooks_exist(const struct hooks *hooks, enum hook_kind kind)
{
    char script[PATH_MAX];

    for (size_t i = 0; i < hooks->config->repositories.count; i++) {
        print_script_path(hooks, i, kind, script);
        if (file_exists(script))
            return true;
    }
    return false;
}

/* True when a hook was started and its end will call again. */
static bool start_hook(struct hooks *hooks, size_t index)
{
    const struct repository *repository = &hooks->config->repositories.items[index];
    uint64_t began_ms = clock_monotonic_ms();
    char script[PATH_MAX];
    char event[EVENT_NAME_MAX];
    struct err err;
    bool kept;

    print_script_path(hooks, index, hooks->kind, script);
    kept = hooks->kind == HOOK_SETUP && hooks->setup_skipped >> index & 1;
    if (kept || !file_exists(script)) {
        log_at(hooks->log, LOG_DEBUG, event_name(event, hooks->kind, "skip"),
               LOG_STR("reason", kept ? "session_work_kept" : "no_script"), LOG_STR("path", script),
               LOG_STR("boot_mode", config_boot_mode_name(hooks->config->boot_mode)));
        return false;
    }
    if (start_run(hooks, index, script, &err) == 0)
        return true;
    log_at(hooks->log, LOG_ERROR, event_name(event, hooks->kind, "error"), LOG_ERR(&err),
           LOG_STR("script", script), LOG_NUM("duration_ms", clock_monotonic_ms() - began_ms),
           LOG_STR("boot_mode", config_boot_mode_name(hooks->config->boot_mode)));
    err_add_context(&err, "%s.sh of %s/%s", kind_names[hooks->kind], repository->owner,
                    repository->name);
    report_failure(hooks, index, &err);
    return false;
}

static void run_next(struct hooks *hooks)
{
    while (hooks->next < hooks->config->repositories.count) {
        if (start_hook(hooks, hooks->next++))
            return;
    }
    hooks->listener.on_done(hooks->listener.user, hooks->kind, hooks->success);
}

void hooks_init(struct hooks *hooks, uv_loop_t *loop, struct reaper *reaper, struct log *log,
                const struct config *config, struct hooks_listener listener)
{
    *hooks = (struct hooks){
        .loop = loop, .reaper = reaper, .log = log, .config = config, .listener = listener};
}

void hooks_skip_setup_of(struct hooks *hooks, size_t index)
{
    hooks->setup_skipped |= UINT64_C(1) << index;
}

void hooks_start(struct hooks *hooks, enum hook_kind kind, uint64_t limit_ms)
{
    hooks->kind = kind;
    hooks->limit_ms[kind] = limit_ms;
    hooks->next = 0;
    hooks->success = true;
    run_next(hooks);
}

void hooks_cancel(struct hooks *hooks)
{
    hooks->cancelled = true;
    for (struct hook_run *run = hooks->runs; run; run = run->older) {
        if (run->process.running)
            terminate(run);
    }
}

void hooks_kill(struct hooks *hooks)
{
    for (struct hook_run *run = hooks->runs; run; run = run->older)
        process_signal(&run->process, SIGKILL);
}

bool hooks_are_running(const struct hooks *hooks)
{
    for (const struct hook_run *run = hooks->runs; run; run = run->older) {
        if (run->process.running)
            return true;
    }
    return false;
}

void hooks_close(struct hooks *hooks)
{
    for (struct hook_run *run = hooks->runs; run; run = run->older) {
        process_close(&run->process);
        uv_close((uv_handle_t *)&run->limit, NULL);
    }
}

void hooks_free(struct hooks *hooks)
{
    while (hooks->runs) {
        struct hook_run *run = hooks->runs;

        hooks->runs = run->older;
        line_tail_clear(&run->tail);
        free(run);
    }
}
