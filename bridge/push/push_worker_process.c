#include "bridge/push/push_worker_process.h"

#include "common/json.h"
#include "common/line_splitter.h"
#include "common/self_program.h"
#include "common/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS_PER_SECOND 1000.0
#define READ_BYTES 4096

/* The worker ends itself at its limit, with a better text; this is for one that hangs. */
#define GRACE_MS 1000

enum handle { HANDLE_PROCESS, HANDLE_INPUT, HANDLE_OUTPUT, HANDLE_TIMER, HANDLE_COUNT };

struct push_worker_process {
    uv_process_t process;
    uv_pipe_t input;
    uv_pipe_t output;
    uv_timer_t timer;
    uv_write_t write;
    int open_handles;
    struct line_splitter lines;
    char *input_text;
    struct log *log;
    push_worker_done_fn *on_done; /* NULL: nobody wants to know any more */
    void *user;
    uint64_t limit_ms;
    uint64_t kill_ms;
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
    struct push_worker_process *self = handle->data;

    if (--self->open_handles > 0)
        return;
    line_splitter_free(&self->lines);
    cJSON_Delete(self->result);
    if (self->input_text)
        explicit_bzero(self->input_text, strlen(self->input_text));
    free(self->input_text);
    free(self);
}

static void close_handle(struct push_worker_process *self, void *handle)
{
    (void)self;
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void close_all(struct push_worker_process *self)
{
    self->on_done = NULL;
    close_handle(self, &self->process);
    close_handle(self, &self->input);
    close_handle(self, &self->output);
    close_handle(self, &self->timer);
}

/* The group: git's helpers and hooks go with it. */
static void signal_group(struct push_worker_process *self, int signal_number)
{
    if (!self->exited && self->process.pid > 0)
        kill(-self->process.pid, signal_number);
}

static void describe(const struct push_worker_process *self, struct push_result *result, char *text,
                     size_t size)
{
    const char *class = json_get_string(self->result, "error_class");
    const char *error = json_get_string(self->result, "error");
    uint64_t lasted_ms = uv_now(self->timer.loop) - self->started_ms;

    *result = (struct push_result){.limit_ms = self->limit_ms, .error = error ? error : ""};
    result->ok = json_get_bool(self->result, "ok", false);
    /* The worker's other limits, connecting and stalling, have texts of their own. */
    result->timed_out =
        !result->ok &&
        (self->killed || (class && strcmp(class, "timeout") == 0 && lasted_ms >= self->limit_ms));
    if (self->result || self->killed)
        return;
    if (self->signal)
        snprintf(text, size, "the push worker was ended by signal %d", self->signal);
    else
        snprintf(text, size, "the push worker ended with status %d and no result", self->status);
    result->error = text;
}

/* Both its end and the end of its output: the result line may come after the former. */
static void conclude(struct push_worker_process *self)
{
    char text[ERR_TEXT_MAX];
    struct push_result result;
    push_worker_done_fn *on_done = self->on_done;

    if (!self->exited || !self->output_ended || !on_done)
        return;
    describe(self, &result, text, sizeof text);
    self->on_done = NULL;
    on_done(self->user, &result);
    close_all(self);
}

static void on_exit_status(uv_process_t *process, int64_t status, int signal_number)
{
    struct push_worker_process *self = process->data;

    self->exited = true;
    self->status = (int)status;
    self->signal = signal_number;
    conclude(self);
}

static void on_line(void *user, char *text, size_t len, bool cut)
{
    struct push_worker_process *self = user;
    cJSON *line = cut ? NULL : json_parse_in_place(text, len, NULL);
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
    struct push_worker_process *self = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(self->chunk, sizeof self->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct push_worker_process *self = stream->data;

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
    struct push_worker_process *self = timer->data;

    log_at(self->log, LOG_WARNING, "git.push_kill");
    signal_group(self, SIGKILL);
}

static void on_limit(uv_timer_t *timer)
{
    struct push_worker_process *self = timer->data;

    self->killed = true;
    signal_group(self, SIGTERM);
    uv_timer_start(timer, on_kill, self->kill_ms, 0);
}

static void on_written(uv_write_t *write, int status)
{
    struct push_worker_process *self = write->data;

    (void)status; /* a worker that is gone is found by its exit */
    close_handle(self, &self->input);
}

static char *print_input(const struct push_worker_input *input)
{
    AUTO_JSON cJSON *object = cJSON_CreateObject();
    cJSON *limits = cJSON_AddObjectToObject(object, "limits");

    json_add_string(object, "path", input->path);
    json_add_string(object, "remote_url", input->remote_url);
    json_add_string(object, "refspec", input->refspec);
    json_add_bool(object, "force", input->force);
    json_add_number(limits, "total_s", (double)input->limit_ms / MS_PER_SECOND);
    return json_to_string(object);
}

static void init_handles(struct push_worker_process *self, uv_loop_t *loop)
{
    uv_pipe_init(loop, &self->input, 0);
    uv_pipe_init(loop, &self->output, 0);
    uv_timer_init(loop, &self->timer);
    self->process.data = self->input.data = self->output.data = self->timer.data = self;
    self->write.data = self;
    self->open_handles = HANDLE_COUNT;
}

static int spawn(struct push_worker_process *self, uv_loop_t *loop)
{
    char *argv[] = {"oi-bridge", "--worker", "push", NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&self->input},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&self->output},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_status,
        .file = self_program(),
        .args = argv,
        .flags = UV_PROCESS_DETACHED, /* leads a session and a group of its own */
        .stdio_count = (int)(sizeof stdio / sizeof stdio[0]),
        .stdio = stdio,
    };

    return uv_spawn(loop, &self->process, &options);
}

struct push_worker_process *push_worker_process_start(const struct push_worker_input *input,
                                                      push_worker_done_fn *on_done, void *user,
                                                      struct err *err)
{
    struct push_worker_process *self = calloc(1, sizeof *self);
    uv_buf_t text;
    int status;

    if (!self || !(self->input_text = print_input(input))) {
        free(self);
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    self->log = input->log;
    self->limit_ms = input->limit_ms;
    self->kill_ms = input->kill_ms;
    self->started_ms = uv_now(input->loop);
    line_splitter_init(&self->lines, WORKER_LINE_MAX, on_line, self);
    init_handles(self, input->loop);
    status = spawn(self, input->loop);
    if (status != 0) {
        self->exited = true;
        close_all(self);
        err_set(err, ERR_IO, "Push failed - the worker could not be started: %s",
                uv_strerror(status));
        return NULL;
    }
    self->on_done = on_done;
    self->user = user;
    text = uv_buf_init(self->input_text, (unsigned)strlen(self->input_text));
    uv_write(&self->write, (uv_stream_t *)&self->input, &text, 1, on_written);
    uv_read_start((uv_stream_t *)&self->output, on_alloc, on_read);
    uv_timer_start(&self->timer, on_limit, input->limit_ms + GRACE_MS, 0);
    return self;
}

void push_worker_process_close(struct push_worker_process *self)
{
    if (!self)
        return;
    signal_group(self, SIGKILL);
    close_all(self);
}
