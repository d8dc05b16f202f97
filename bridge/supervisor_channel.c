#include "bridge/supervisor_channel.h"

#include "common/json.h"
#include "common/line_splitter.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LINE_MAX_BYTES ((size_t)64 * 1024)
#define READ_BYTES 4096

struct supervisor_channel {
    uv_pipe_t pipe;
    struct line_splitter lines;
    const struct supervisor_channel_handlers *handlers;
    void *user;
    bool ended;
    char input[READ_BYTES];
};

bool supervisor_channel_is_there(void)
{
    struct stat st;

    return fstat(SUPERVISOR_CHANNEL_FD, &st) == 0 && S_ISSOCK(st.st_mode) &&
           fcntl(SUPERVISOR_CHANNEL_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static void dispatch(struct supervisor_channel *channel, const cJSON *line)
{
    const struct supervisor_channel_handlers *handlers = channel->handlers;
    const char *type = json_get_string(line, "type");
    const char *text;

    if (!type)
        return;
    if (strcmp(type, "boot") == 0) {
        handlers->on_boot(channel->user, line);
    } else if (strcmp(type, "ready") == 0) {
        handlers->on_ready(channel->user, json_get_nonempty(line, "directory"));
    } else if (strcmp(type, "opencode_down") == 0) {
        handlers->on_opencode_down(channel->user);
    } else if (strcmp(type, "fatal") == 0) {
        text = json_get_nonempty(line, "error");
        handlers->on_fatal(channel->user, text ? text : "The sandbox failed.");
    } else if (strcmp(type, "warning") == 0) {
        handlers->on_warning(channel->user, line);
    } else if (strcmp(type, "shutdown") == 0) {
        handlers->on_shutdown(channel->user);
    }
}

static void on_line(void *user, char *text, size_t len, size_t dropped)
{
    AUTO_JSON cJSON *line = dropped ? NULL : json_parse_in_place(text, len, NULL);

    dispatch(user, line);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct supervisor_channel *channel = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(channel->input, sizeof channel->input);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct supervisor_channel *channel = stream->data;

    if (count >= 0) {
        line_splitter_feed(&channel->lines, buffer->base, (size_t)count);
        return;
    }
    uv_read_stop(stream);
    channel->ended = true;
    channel->handlers->on_shutdown(channel->user);
}

struct supervisor_channel *
supervisor_channel_open(uv_loop_t *loop, const struct supervisor_channel_handlers *handlers,
                        void *user, struct err *err)
{
    struct supervisor_channel *channel = calloc(1, sizeof *channel);
    int status;

    if (!channel) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    channel->handlers = handlers;
    channel->user = user;
    line_splitter_init(&channel->lines, LINE_MAX_BYTES, on_line, channel);
    uv_pipe_init(loop, &channel->pipe, 0);
    channel->pipe.data = channel;
    status = uv_pipe_open(&channel->pipe, SUPERVISOR_CHANNEL_FD);
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&channel->pipe, on_alloc, on_read);
    if (status != 0) {
        err_set(err, ERR_IO, "open the channel to the supervisor: %s", uv_strerror(status));
        supervisor_channel_close(channel);
        return NULL;
    }
    return channel;
}

/* A reader that does not keep up loses lines: nobody waits for them. */
static void tell(struct supervisor_channel *channel, cJSON *line)
{
    AUTO_BUF struct buf text = BUF_INIT(LINE_MAX_BYTES);
    uv_buf_t out;

    json_print(line, &text);
    buf_putc(&text, '\n');
    cJSON_Delete(line);
    if (buf_failed(&text) || channel->ended)
        return;
    out = uv_buf_init(text.data, (unsigned)text.len);
    uv_try_write((uv_stream_t *)&channel->pipe, &out, 1);
}

static cJSON *line_new(const char *type)
{
    cJSON *line = cJSON_CreateObject();

    json_add_string(line, "type", type);
    return line;
}

void supervisor_channel_tell_connected(struct supervisor_channel *channel)
{
    if (channel)
        tell(channel, line_new("connected"));
}

void supervisor_channel_tell_prompt(struct supervisor_channel *channel, bool running)
{
    cJSON *line;

    if (!channel)
        return;
    line = line_new("prompt");
    json_add_bool(line, "running", running);
    tell(channel, line);
}

void supervisor_channel_tell_exiting(struct supervisor_channel *channel, const char *reason)
{
    cJSON *line;

    if (!channel)
        return;
    line = line_new("exiting");
    json_add_string(line, "reason", reason);
    tell(channel, line);
}

static void on_closed(uv_handle_t *handle)
{
    struct supervisor_channel *channel = handle->data;

    line_splitter_free(&channel->lines);
    free(channel);
}

void supervisor_channel_close(struct supervisor_channel *channel)
{
    if (channel)
        uv_close((uv_handle_t *)&channel->pipe, on_closed);
}
