#include "supervisor/process/process.h"

#include "common/cleanup.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXTRA_FD 3
/* A leader's last words; more than a pipe holds by default. */
#define FINAL_READ_MAX (128 * 1024)

void process_init(struct process *process, uv_loop_t *loop, struct reaper *reaper, size_t line_max,
                  struct process_listener listener)
{
    *process = (struct process){.loop = loop, .reaper = reaper, .listener = listener};
    line_splitter_init(&process->lines, line_max, listener.on_line, listener.user);
}

static void on_output_closed(uv_handle_t *handle)
{
    free(handle);
}

static void close_output(struct process *process)
{
    if (!process->output)
        return;
    line_splitter_end(&process->lines);
    uv_close((uv_handle_t *)process->output, on_output_closed);
    process->output = NULL;
}

void process_close(struct process *process)
{
    if (process->running)
        reaper_forget(process->reaper, &process->watch);
    process->running = false;
    close_output(process);
    line_splitter_free(&process->lines);
}

static void on_buffer_wanted(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct process *process = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(process->chunk, process->has_had_turn ? 0 : sizeof process->chunk);
}

static void on_output(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer)
{
    struct process *process = stream->data;

    /* One full chunk in a turn of the loop: without a buffer libuv stops reading until the next. A
     * child that prints without end would else keep us from signals and timers for seconds. */
    process->has_had_turn = got == sizeof process->chunk;
    if (got > 0)
        line_splitter_feed(&process->lines, buffer->base, (size_t)got);
    else if (got < 0 && got != UV_ENOBUFS)
        close_output(process);
}

/* Reads what is in the pipe now, so that the listener hears the last words before the death. */
static void read_final_output(struct process *process)
{
    uv_os_fd_t fd;
    size_t total = 0;

    if (!process->output || uv_fileno((uv_handle_t *)process->output, &fd) != 0)
        return;
    while (total < FINAL_READ_MAX) {
        ssize_t got = read(fd, process->chunk, sizeof process->chunk);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        line_splitter_feed(&process->lines, process->chunk, (size_t)got);
        total += (size_t)got;
    }
}

static void on_reaped(void *user, int exit_code)
{
    struct process *process = user;

    process->running = false;
    read_final_output(process);
    if (!process->keeps_output)
        close_output(process);
    if (process->listener.on_exit)
        process->listener.on_exit(process->listener.user, exit_code);
}

static int open_output(struct process *process, int *write_end, struct err *err)
{
    int ends[2];
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_sys(err, errno, "pipe for a child's output");
    process->output = malloc(sizeof *process->output);
    if (!process->output) {
        close(ends[0]);
        close(ends[1]);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    uv_pipe_init(process->loop, process->output, 0);
    process->output->data = process;
    rc = uv_pipe_open(process->output, ends[0]);
    if (rc == 0)
        rc = uv_read_start((uv_stream_t *)process->output, on_buffer_wanted, on_output);
    if (rc != 0) {
        close(ends[0]);
        close(ends[1]);
        close_output(process);
        return err_set_sys(err, -rc, "read a child's output");
    }
    *write_end = ends[1];
    return 0;
}

int process_start(struct process *process, const struct spawn_options *options, int input_fd,
                  int extra_fd, struct err *err)
{
    AUTO_CLOSE int write_end = -1;
    struct spawn_options full = *options;
    struct spawn_fd fds[4];
    int count = 0;

    close_output(process); /* an earlier run's, whose last writer is not its leader */
    if (open_output(process, &write_end, err) != 0)
        return -1;
    fds[count++] = (struct spawn_fd){write_end, STDOUT_FILENO};
    fds[count++] = (struct spawn_fd){write_end, STDERR_FILENO};
    if (input_fd >= 0)
        fds[count++] = (struct spawn_fd){input_fd, STDIN_FILENO};
    if (extra_fd >= 0)
        fds[count++] = (struct spawn_fd){extra_fd, EXTRA_FD};
    full.fds = fds;
    full.fd_count = count;
    full.new_session = true;
    full.dies_with_parent = true;
    if (spawn_process(&full, &process->pid, err) != 0) {
        close_output(process);
        return -1;
    }
    process->running = true;
    process->started_ms = clock_monotonic_ms();
    process->watch =
        (struct reaper_watch){.pid = process->pid, .on_reaped = on_reaped, .user = process};
    reaper_watch_process(process->reaper, &process->watch);
    return 0;
}

/* Asks without taking anything from the reaper. */
static bool is_stopped(const struct process *process)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)process->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == process->pid;
}

void process_signal(struct process *process, int number)
{
    /* Not reaped yet, so the pid and its group are still ours. */
    if (!process->running)
        return;
    kill(-process->pid, number);
    /* Not to others: a shell that has a trap for SIGCONT may forget the SIGTERM that comes with it. */
    if (number == SIGTERM && is_stopped(process))
        kill(-process->pid, SIGCONT);
}

bool process_group_lives(const struct process *process)
{
    return process->pid > 0 && (kill(-process->pid, 0) == 0 || errno == EPERM);
}

void process_kill_group(const struct process *process)
{
    /* The number cannot have been given to another group while members of this one live; when none
     * does, the worst is ESRCH, because a new session leader would first have to reuse the pid. */
    if (!process->running && process->pid > 0)
        kill(-process->pid, SIGKILL);
}
