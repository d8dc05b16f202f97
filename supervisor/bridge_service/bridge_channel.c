#include "supervisor/bridge_service/bridge_channel.h"

#include "common/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* One write under way, with its bytes behind it. */
struct sending {
    uv_write_t write;
    char bytes[];
};

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    struct bridge_channel *channel = user;
    struct bridge_message message;

    if (dropped > 0)
        return;
    message = bridge_message_read(line, len);
    if (message.type != BRIDGE_MESSAGE_UNKNOWN)
        channel->on_message(channel->user, &message);
}

void bridge_channel_init(struct bridge_channel *channel, uv_loop_t *loop, struct log *log,
                         bridge_message_fn *on_message, void *user)
{
    *channel =
        (struct bridge_channel){.loop = loop, .log = log, .on_message = on_message, .user = user};
    line_splitter_init(&channel->lines, BRIDGE_MESSAGE_MAX, on_line, channel);
}

static void on_closed(uv_handle_t *handle)
{
    struct bridge_channel *channel = handle->data;

    channel->open = false;
}

void bridge_channel_shut(struct bridge_channel *channel)
{
    if (channel->open && !uv_is_closing((uv_handle_t *)&channel->pipe))
        uv_close((uv_handle_t *)&channel->pipe, on_closed);
}

void bridge_channel_close(struct bridge_channel *channel)
{
    bridge_channel_shut(channel);
    line_splitter_free(&channel->lines);
}

static void on_buffer_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct bridge_channel *channel = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(channel->chunk, sizeof channel->chunk);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct bridge_channel *channel = stream->data;

    if (got > 0)
        line_splitter_feed(&channel->lines, buffer->base, (size_t)got);
    else if (got < 0)
        bridge_channel_shut(channel);
}

int bridge_channel_open(struct bridge_channel *channel, int *bridge_end, struct err *err)
{
    int ends[2];
    int rc;

    if (channel->open)
        return err_set(err, ERR_INTERNAL, "the channel to the last bridge is still open");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set_sys(err, errno, "socketpair");
    line_splitter_free(&channel->lines);
    line_splitter_init(&channel->lines, BRIDGE_MESSAGE_MAX, on_line, channel);
    uv_pipe_init(channel->loop, &channel->pipe, 0);
    channel->pipe.data = channel;
    channel->open = true;
    rc = uv_pipe_open(&channel->pipe, ends[0]);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)&channel->pipe, on_buffer_wanted, on_read);
    if (rc != 0) {
        close(ends[0]);
        close(ends[1]);
        bridge_channel_shut(channel);
        return err_set_sys(err, -rc, "open the channel to the bridge");
    }
    *bridge_end = ends[1];
    return 0;
}

static void on_sent(uv_write_t *write, int status)
{
    (void)status; /* a bridge that is gone is noticed by its death */
    free(write->data);
}

void bridge_channel_send(struct bridge_channel *channel, const struct buf *lines)
{
    uv_stream_t *stream = (uv_stream_t *)&channel->pipe;
    struct sending *sending;
    uv_buf_t bytes;

    if (!channel->open || uv_is_closing((uv_handle_t *)stream) || lines->len == 0)
        return;
    sending = uv_stream_get_write_queue_size(stream) + lines->len <= BRIDGE_CHANNEL_QUEUE_MAX &&
                      !buf_failed(lines)
                  ? malloc(sizeof *sending + lines->len)
                  : NULL;
    if (!sending) {
        log_at(channel->log, LOG_WARNING, "bridge.channel_dropped", LOG_NUM("bytes", lines->len));
        return;
    }
    memcpy(sending->bytes, lines->data, lines->len);
    sending->write.data = sending;
    bytes = uv_buf_init(sending->bytes, (unsigned)lines->len);
    if (uv_write(&sending->write, stream, &bytes, 1, on_sent) != 0)
        free(sending);
}
