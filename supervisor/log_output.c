#include "supervisor/log_output.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAITING_MAX (LOG_OUTPUT_QUEUE_MAX + LOG_OUTPUT_OWN_MAX)

void log_output_open(struct log_output *output)
{
    struct stat status;
    int fd;

    *output = (struct log_output){.fd = STDOUT_FILENO, .waiting = BUF_INIT(WAITING_MAX)};
    if (fstat(STDOUT_FILENO, &status) != 0)
        return;
    output->is_socket = S_ISSOCK(status.st_mode);
    /* A plain file is never full, and its offset is the launcher's too: what that writes later must
     * not land on our lines. */
    if (output->is_socket || S_ISREG(status.st_mode))
        return;
    fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    output->is_ours = fd >= 0;
    if (output->is_ours)
        output->fd = fd;
}

/* What was taken; 0: full; -1: it will never be taken. */
static ssize_t put(const struct log_output *output, const char *data, size_t len)
{
    ssize_t taken;

    do
        taken = output->is_socket ? send(output->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : write(output->fd, data, len);
    while (taken < 0 && errno == EINTR);
    return taken < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : taken;
}

static void put_waiting(struct log_output *output)
{
    ssize_t taken = 1;

    while (output->waiting.len && taken > 0) {
        taken = put(output, output->waiting.data, output->waiting.len);
        if (taken > 0)
            buf_consume(&output->waiting, (size_t)taken);
    }
    if (taken >= 0 && output->waiting.len)
        return;
    buf_free(&output->waiting);
    buf_init(&output->waiting, WAITING_MAX);
}

static void on_writable(uv_poll_t *poll, int status, int events);

static void watch_what_waits(struct log_output *output)
{
    if (!output->watched)
        return;
    if (output->waiting.len)
        uv_poll_start(&output->poll, UV_WRITABLE, on_writable);
    else
        uv_poll_stop(&output->poll);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct log_output *output = poll->data;

    (void)status;
    (void)events;
    put_waiting(output);
    watch_what_waits(output);
}

bool log_output_write(void *user, const char *line, size_t len, enum log_origin origin)
{
    struct log_output *output = user;
    size_t most = origin == LOG_OWN ? WAITING_MAX : LOG_OUTPUT_QUEUE_MAX;
    ssize_t taken = 0;

    put_waiting(output);
    if (!output->waiting.len)
        taken = put(output, line, len);
    if (taken < 0)
        return false;
    if ((size_t)taken == len)
        return true;
    /* A line that began has to end: only a whole one is dropped. */
    if (!taken && output->waiting.len + len > most)
        return false;
    buf_append(&output->waiting, line + taken, len - (size_t)taken);
    watch_what_waits(output);
    return !buf_failed(&output->waiting);
}

void log_output_watch(struct log_output *output, uv_loop_t *loop)
{
    /* libuv makes the descriptor non-blocking: not one that is others' too. A file is refused. */
    if (!output->is_ours || uv_poll_init(loop, &output->poll, output->fd) != 0)
        return;
    output->poll.data = output;
    output->watched = true;
    uv_unref((uv_handle_t *)&output->poll);
    watch_what_waits(output);
}

void log_output_unwatch(struct log_output *output)
{
    if (output->watched)
        uv_close((uv_handle_t *)&output->poll, NULL);
    output->watched = false;
}

void log_output_close(struct log_output *output)
{
    uint64_t deadline = clock_monotonic_ms() + LOG_OUTPUT_LAST_WAIT_MS;
    struct pollfd room = {.fd = output->fd, .events = POLLOUT};

    put_waiting(output);
    while (output->waiting.len) {
        uint64_t now = clock_monotonic_ms();

        if (now >= deadline || poll(&room, 1, (int)(deadline - now)) <= 0)
            break;
        put_waiting(output);
    }
    buf_free(&output->waiting);
    if (output->is_ours)
        close(output->fd);
}
