#include "supervisor/process/worker.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "common/self_program.h"
#include "common/worker.h"
#include "supervisor/process/child_log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

/* What a pipe takes without anybody reading: PID 1 must not block. */
#define INPUT_MAX (60 * 1024)

static void on_line(void *user, char *text, size_t len, size_t dropped)
{
    struct worker *worker = user;
    cJSON *line = json_parse(text, len, NULL);
    const char *type = json_get_string(line, "type");

    if (!cJSON_IsObject(line) || !type) {
        child_log_line(worker->log, "[worker] ", text, len, dropped);
    } else if (strcmp(type, "result") == 0 && !worker->result) {
        worker->result = line;
        return;
    } else if (worker->listener.on_line) {
        worker->listener.on_line(worker->listener.user, line);
    }
    cJSON_Delete(line);
}

static void on_exited(void *user, int exit_code)
{
    struct worker *worker = user;
    AUTO_JSON cJSON *result = TAKE_PTR(worker->result);
    struct err err;

    uv_timer_stop(&worker->limit);
    process_kill_group(&worker->process);
    if (worker->too_late)
        err_set(&err, ERR_TIMEOUT, "not done within %llu s",
                (unsigned long long)worker->limit_ms / 1000);
    else if (worker->cancelled)
        err_set(&err, ERR_CANCELLED, "the worker %s was not needed any more", worker->name);
    else if (exit_code < 0)
        err_set(&err, ERR_INTERNAL, "the worker %s was killed by signal %d", worker->name,
                -exit_code);
    else
        err_set(&err, ERR_INTERNAL, "the worker %s ended with status %d and no result",
                worker->name, exit_code);
    worker->listener.on_done(worker->listener.user, result, result ? NULL : &err);
}

static void on_limit(uv_timer_t *timer)
{
    struct worker *worker = timer->data;

    worker->too_late = true;
    process_signal(&worker->process, SIGKILL);
}

void worker_init(struct worker *worker, const char *name, uv_loop_t *loop, struct reaper *reaper,
                 struct log *log, struct worker_listener listener)
{
    *worker = (struct worker){.name = name, .log = log, .listener = listener};
    process_init(
        &worker->process, loop, reaper, WORKER_LINE_MAX,
        (struct process_listener){.on_line = on_line, .on_exit = on_exited, .user = worker});
    uv_timer_init(loop, &worker->limit);
    worker->limit.data = worker;
}

void worker_close(struct worker *worker)
{
    process_close(&worker->process);
    uv_close((uv_handle_t *)&worker->limit, NULL);
    cJSON_Delete(worker->result);
    worker->result = NULL;
}

/* A descriptor from which `input` can be read up to its end. */
static int open_input(const cJSON *input, int *read_end, struct err *err)
{
    struct buf text = BUF_INIT(INPUT_MAX);
    int ends[2];
    int result = 0;

    /* All of it at once: a buffer that grows leaves copies of a token behind. */
    buf_reserve(&text, INPUT_MAX);
    json_print(input, &text);
    if (buf_failed(&text))
        result = err_set(err, ERR_LIMIT, "its input is larger than %d bytes", INPUT_MAX);
    else if (pipe2(ends, O_CLOEXEC) != 0)
        result = err_set_sys(err, errno, "pipe");
    else {
        *read_end = ends[0];
        if (file_write_all(ends[1], text.data, text.len) != 0)
            result = err_set_sys(err, errno, "write its input");
        close(ends[1]);
    }
    buf_wipe(&text);
    return result;
}

int worker_start(struct worker *worker, const cJSON *input, uint64_t limit_ms, struct err *err)
{
    AUTO_CLOSE int read_end = -1;
    const char *const argv[] = {"oi-supervisor", "--worker", worker->name, NULL};
    struct spawn_options options = {.program = self_program(), .argv = argv};

    if (open_input(input, &read_end, err) != 0 ||
        process_start(&worker->process, &options, read_end, -1, err) != 0)
        return err_add_context(err, "worker %s", worker->name);
    worker->too_late = false;
    worker->cancelled = false;
    worker_extend(worker, limit_ms);
    return 0;
}

void worker_extend(struct worker *worker, uint64_t limit_ms)
{
    worker->limit_ms = limit_ms;
    uv_timer_start(&worker->limit, on_limit, limit_ms, 0);
}

void worker_kill(struct worker *worker)
{
    worker->cancelled = true;
    process_signal(&worker->process, SIGKILL);
}
