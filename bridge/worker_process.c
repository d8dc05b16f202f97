#include "bridge/worker_process.h"

#include "common/json.h"
#include "common/line_splitter.h"
#include "common/self_program.h"
#include "common/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES 4096

enum handle { HANDLE_PROCESS, HANDLE_INPUT, HANDLE_OUTPUT, HANDLE_TIMER, HANDLE_COUNT };

struct worker_process {
    uv_process_t process;
    uv_pipe_t input;
    uv_pipe_t output;
    uv_timer_t timer;
    uv_write_t write;
    int open_handles;
    struct line_splitter lines;
    struct worker_process_options options;
    char *input_text;
    worker_process_done_fn *on_done; /* NULL: nobody wants to know any more */
    void *user;
    uint64_t started_ms;
    cJSON *result; /* the worker's last line */
    bool exited;
    bool output_ended;
    bool killed;
    int signal;
    int status;
    char chunk[READ_BYTES];
};

static void on_closed(uv_handle_t *handle)
{
    struct worker_process *self = handle->data;

    if (--self->open_handles > 0)
        return;
    line_splitter_free(&self->lines);
    cJSON_Delete(self->result);
    explicit_bzero(self->input_text, strlen(self->input_text));
    free(self->input_text);
    free(self);
}

static void close_handle(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

void worker_process_leave(struct worker_process *self)
{
    if (!self)
        return;
    self->on_done = NULL;
    close_handle(&self->process);
    close_handle(&self->input);
    close_handle(&self->output);
    close_handle(&self->timer);
}

/* The group: git's helpers and hooks go with it. */
static void signal_group(struct worker_process *self, int signal_number)
{
    if (!self->exited && self->process.pid > 0)
        kill(-self->process.pid, signal_number);
}

void worker_process_kill(struct worker_process *self)
{
    signal_group(self, SIGKILL);
}

void worker_process_close(struct worker_process *self)
{
    if (!self)
        return;
    signal_group(self, SIGKILL);
    worker_process_leave(self);
}

static void describe(const struct worker_process *self, struct worker_process_end *end)
{
    end->result = self->result;
    end->killed = self->killed;
    end->lasted_ms = uv_now(self->timer.loop) - self->started_ms;
    if (self->result || self->killed)
        return;
    if (self->signal)
        snprintf(end->text, sizeof end->text, "the %s worker was ended by signal %d",
                 self->options.name, self->signal);
    else
        snprintf(end->text, sizeof end->text, "the %s worker ended with status %d and no result",
                 self->options.name, self->status);
}

/* Both its end and the end of its output: the result line may come after the former. */
static void conclude(struct worker_process *self)
{
    struct worker_process_end end = {0};
    worker_process_done_fn *on_done = self->on_done;

    if (!self->exited || !self->output_ended || !on_done)
        return;
    describe(self, &end);
    /* What it started and could not end; a success may leave something behind on purpose. */
    if (!json_get_bool(self->result, "ok", false))
        kill(-self->process.pid, SIGKILL);
    self->on_done = NULL;
    on_done(self->user, &end);
    worker_process_leave(self);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal_number)
{
    struct worker_process *self = process->data;

    self->exited = true;
    self->status = (int)status;
    self->signal = signal_number;
    conclude(self);
}

static void on_line(void *user, char *text, size_t len, size_t dropped)
{
    struct worker_process *self = user;
    cJSON *line = dropped ? NULL : json_parse_in_place(text, len, NULL);
    const char *type = json_get_string(line, "type");

    if (!type || strcmp(type, "result") != 0) {
        cJSON_Delete(line);
        return;
    }
    cJSON_Delete(self->result);
    self->result = line;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct worker_process *self = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(self->chunk, sizeof self->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct worker_process *self = stream->data;

    if (count >= 0) {
        line_splitter_feed(&self->lines, buffer->base, (size_t)count);
        return;
    }
    line_splitter_end(&self->lines);
    uv_read_stop(stream);
    self->output_ended = true;
    conclude(self);
}

static void on_kill(uv_timer_t *timer)
{
    struct worker_process *self = timer->data;

    if (self->options.kill_event)
        log_at(self->options.log, LOG_WARNING, self->options.kill_event);
    signal_group(self, SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    struct worker_process *self = timer->data;

    self->killed = true;
    signal_group(self, SIGTERM);
    uv_timer_start(timer, on_kill, self->options.kill_ms, 0);
}

static void on_written(uv_write_t *write, int status)
{
    struct worker_process *self = write->data;

    (void)status; /* a worker that is gone is found by its exit */
    close_handle(&self->input);
}

static void init_handles(struct worker_process *self)
{
    uv_loop_t *loop = self->options.loop;

    uv_pipe_init(loop, &self->input, 0);
    uv_pipe_init(loop, &self->output, 0);
    uv_timer_init(loop, &self->timer);
    self->process.data = self->input.data = self->output.data = self->timer.data = self;
    self->write.data = self;
    self->open_handles = HANDLE_COUNT;
}

static int spawn(struct worker_process *self)
{
    char *argv[] = {"oi-bridge", "--worker", (char *)self->options.name, NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&self->input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&self->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        [WORKER_BULK_FD] = {.flags = UV_INHERIT_FD, .data.fd = self->options.bulk_fd},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = self_program(),
        .args = argv,
        .flags = UV_PROCESS_DETACHED, /* leads a session and a group of its own */
        .stdio_count = self->options.bulk_fd ? WORKER_BULK_FD + 1 : WORKER_BULK_FD,
        .stdio = stdio,
    };

    return uv_spawn(self->options.loop, &self->process, &options);
}

struct worker_process *worker_process_start(const struct worker_process_options *options,
                                            const cJSON *input, worker_process_done_fn *on_done,
                                            void *user, struct err *err)
{
    struct worker_process *self = calloc(1, sizeof *self);
    uv_buf_t text;
    int status;

    if (!self || !(self->input_text = json_to_string(input))) {
        free(self);
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    self->options = *options;
    self->started_ms = uv_now(options->loop);
    line_splitter_init(&self->lines, WORKER_LINE_MAX, on_line, self);
    init_handles(self);
    status = spawn(self);
    if (status != 0) {
        self->exited = true;
        worker_process_leave(self);
        err_set(err, ERR_IO, "the %s worker could not be started: %s", options->name,
                uv_strerror(status));
        return NULL;
    }
    self->on_done = on_done;
    self->user = user;
    text = uv_buf_init(self->input_text, (unsigned)strlen(self->input_text));
    uv_write(&self->write, (uv_stream_t *)&self->input, &text, 1, on_written);
    uv_read_start((uv_stream_t *)&self->output, on_alloc, on_read);
    uv_timer_start(&self->timer, on_limit, options->limit_ms, 0);
    return self;
}
