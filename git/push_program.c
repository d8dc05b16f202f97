#include "git/push_program.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/env.h"
#include "common/file.h"
#include "common/spawn.h"
#include "common/worker.h"
#include "git/ca_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS_PER_SECOND 1000
#define READ_BYTES 4096
#define CONFIG_TEXT_MAX 4096
#define VARIABLE_MAX 40
#define ESCAPE '\x1b'
#define SAID_MAX_BYTES (PUSH_TEXT_MAX - ERR_TEXT_MAX) /* room is left for a word of ours */

/* Where the text of a terminal's escape sequence is. */
enum escape { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_PARAMETERS };

struct program {
    pid_t pid;
    int output;  /* its stdout and stderr */
    int signals; /* SIGCHLD, and SIGTERM, which git gets as well */
    uint64_t deadline_ms;
    bool ended, timed_out;
    int status;
    enum escape escape;
    struct buf said; /* the end of what it said */
};

/* ---- what git is told ---- */

/* As `git -c key=value`, but not in argv. */
static void add_config(const char *key, const char *value)
{
    const char *before = env_get("GIT_CONFIG_COUNT");
    unsigned count = before ? (unsigned)strtoul(before, NULL, 10) : 0;
    char name[VARIABLE_MAX];

    snprintf(name, sizeof name, "GIT_CONFIG_KEY_%u", count);
    setenv(name, key, 1);
    snprintf(name, sizeof name, "GIT_CONFIG_VALUE_%u", count);
    setenv(name, value, 1);
    snprintf(name, sizeof name, "%u", count + 1);
    setenv("GIT_CONFIG_COUNT", name, 1);
}

/* A file in memory with what a credential helper answers; -1 and an error. */
static int hold_credentials(const struct git_access *access, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(CONFIG_TEXT_MAX * 2);
    const char *user = access->username ? access->username : GIT_DEFAULT_USERNAME;
    AUTO_CLOSE int fd = memfd_create("oi-push-credentials", MFD_CLOEXEC);
    int failed;

    if (fd < 0)
        return err_set_sys(err, errno, "hold the credentials");
    if (strpbrk(user, "\r\n") || strpbrk(access->password, "\r\n"))
        return err_set(err, ERR_CONFIG, "the remote's URL has a line break in its credentials");
    buf_printf(&text, "username=%s\npassword=%s\n", user, access->password);
    failed = buf_failed(&text) || file_write_all(fd, text.data, text.len) != 0;
    if (text.data)
        explicit_bzero(text.data, text.cap);
    if (failed)
        return err_set(err, ERR_IO, "the credentials could not be held in memory");
    return take_fd(&fd);
}

/* The only helper for this host, so that none of the user's offers or keeps anything. */
static void offer_credentials(const char *url, int fd)
{
    const char *host = strstr(url, "://");
    size_t len = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/") : strlen(url);
    char key[CONFIG_TEXT_MAX], helper[128];

    snprintf(key, sizeof key, "credential.%.*s.helper", (int)len, url);
    snprintf(helper, sizeof helper, "!f() { test \"$1\" != get || cat /proc/%d/fd/%d; }; f",
             (int)getpid(), fd);
    add_config(key, "");
    add_config(key, helper);
}

static void prepare_environment(const struct git_access *access, const char *path, int credentials)
{
    setenv("GIT_TERMINAL_PROMPT", "0", 1); /* D-27 */
    setenv("GIT_ASKPASS", "", 1);
    /* Images are built under other users; what runs in the sandbox is the user's own anyway. */
    add_config("safe.directory", path);
    if (credentials >= 0)
        offer_credentials(access->url, credentials);
    ca_bundle_export(path, access->url);
}

/* ---- what git says ---- */

/* Text without what is meant for a terminal. */
static void add_character(struct program *program, char c)
{
    struct buf *said = &program->said;

    if (program->escape == ESCAPE_BEGUN) {
        program->escape = c == '[' ? ESCAPE_PARAMETERS : ESCAPE_NONE;
    } else if (program->escape == ESCAPE_PARAMETERS) {
        if (c >= '@' && c <= '~')
            program->escape = ESCAPE_NONE;
    } else if (c == ESCAPE) {
        program->escape = ESCAPE_BEGUN;
    } else if (c == '\n' || c == '\r') {
        if (said->len > 0 && said->data[said->len - 1] != '\n')
            buf_putc(said, '\n');
    } else if ((unsigned char)c >= ' ' || c == '\t') {
        buf_putc(said, c);
    }
}

/* The reason stands at the end: what is too much goes at the beginning. */
static void keep_end(struct buf *said, size_t most)
{
    const char *newline;
    size_t drop;

    if (said->len <= most)
        return;
    drop = said->len - most;
    newline = memchr(said->data + drop, '\n', most);
    buf_consume(said, newline ? (size_t)(newline - said->data) + 1 : drop);
}

/* Everything that is there to read now. */
static void read_output(struct program *program)
{
    char chunk[READ_BYTES];
    ssize_t got;

    while (program->output >= 0 && (got = read(program->output, chunk, sizeof chunk)) >= 0) {
        for (ssize_t i = 0; i < got; i++)
            add_character(program, chunk[i]);
        keep_end(&program->said, SAID_MAX_BYTES);
        if (got == 0) {
            close(program->output);
            program->output = -1;
        }
    }
}

/* ---- its life ---- */

static int open_signals(struct err *err)
{
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? err_set_sys(err, errno, "wait for git") : fd;
}

static int start(struct program *program, const char *path, const char *const *argv,
                 struct err *err)
{
    AUTO_CLOSE int write_end = -1;
    struct spawn_fd fds[] = {{.child_fd = STDOUT_FILENO}, {.child_fd = STDERR_FILENO}};
    const struct spawn_options options = {.program = "git",
                                          .argv = argv,
                                          .directory = path,
                                          .fds = fds,
                                          .fd_count = ARRAY_LENGTH(fds),
                                          .dies_with_parent = true};
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_sys(err, errno, "a pipe for git");
    program->output = ends[0];
    fds[0].parent_fd = fds[1].parent_fd = write_end = ends[1];
    fcntl(program->output, F_SETFL, O_NONBLOCK);
    program->signals = open_signals(err);
    if (program->signals < 0)
        return -1;
    setpgid(0, 0); /* a worker of the bridge has a group of its own already */
    /* Not to die with the bridge before the others of the group have: wait_for_end() sees to both. */
    prctl(PR_SET_PDEATHSIG, 0);
    return spawn_process(&options, &program->pid, err);
}

static void end_if_late(struct program *program)
{
    if (program->timed_out || clock_monotonic_ms() < program->deadline_ms)
        return;
    program->timed_out = true;
    kill(0, SIGTERM); /* ours is blocked */
}

/* For poll(). Once git was told to end, the bridge decides how long it may take. */
static int ms_left(const struct program *program)
{
    uint64_t now = clock_monotonic_ms();

    if (program->timed_out)
        return -1;
    return program->deadline_ms > now ? (int)(program->deadline_ms - now) : 0;
}

/* The end of git is enough: something that a hook left in the background may hold its output open.
 * But once git was told to end, its hooks have until the bridge's patience is over. */
static bool is_over(const struct program *program)
{
    return program->ended && (!program->timed_out || program->output < 0);
}

static void wait_for_end(struct program *program)
{
    struct signalfd_siginfo ignored;

    while (!is_over(program)) {
        struct pollfd wanted[] = {{.fd = program->output, .events = POLLIN},
                                  {.fd = program->signals, .events = POLLIN},
                                  {.fd = WORKER_OUTPUT_FD}};

        poll(wanted, ARRAY_LENGTH(wanted), ms_left(program));
        if (worker_is_orphan(WORKER_OUTPUT_FD))
            kill(0, SIGKILL);
        read_output(program);
        while (read(program->signals, &ignored, sizeof ignored) > 0)
            continue;
        if (!program->ended)
            program->ended = waitpid(program->pid, &program->status, WNOHANG) == program->pid;
        end_if_late(program);
    }
    read_output(program);
}

static int explain(const struct program *program, const struct git_access *access,
                   struct push_outcome *outcome, struct err *err)
{
    const char *text = buf_text(&program->said);

    if (WIFEXITED(program->status) && WEXITSTATUS(program->status) == 0)
        return 0;
    outcome->rejected = strstr(text, "rejected]") != NULL;
    buf_puts(&outcome->text, text);
    if (program->timed_out)
        err_set(err, ERR_TIMEOUT, "git push did not end within %u s",
                access->limits.total_ms / MS_PER_SECOND);
    else if (WIFSIGNALED(program->status))
        err_set(err, ERR_IO, "git push was ended by signal %d", WTERMSIG(program->status));
    else
        err_set(err, ERR_PROTOCOL, "git push ended with status %d", WEXITSTATUS(program->status));
    if (!outcome->text.len || !WIFEXITED(program->status))
        buf_puts(&outcome->text, err->text);
    return -1;
}

int push_by_program(const struct git_access *access, const char *path, const char *refspec,
                    bool force, struct push_outcome *outcome, struct err *err)
{
    const char *const argv[] = {
        "git", "push", force ? "--force" : "--no-force", "--", access->url, refspec, NULL};
    struct program program = {
        .output = -1, .signals = -1, .said = BUF_INIT(SAID_MAX_BYTES + READ_BYTES)};
    int credentials = -1, result = -1;

    *outcome = (struct push_outcome){.text = BUF_INIT(PUSH_TEXT_MAX)};
    program.deadline_ms = clock_monotonic_ms() + access->limits.total_ms;
    if (access->password && (credentials = hold_credentials(access, err)) < 0)
        goto out;
    prepare_environment(access, path, credentials);
    if (start(&program, path, argv, err) == 0) {
        wait_for_end(&program);
        result = explain(&program, access, outcome, err);
    }
out:
    if (result < 0 && !outcome->text.len)
        buf_puts(&outcome->text, err->text);
    if (credentials >= 0)
        close(credentials);
    if (program.output >= 0)
        close(program.output);
    if (program.signals >= 0)
        close(program.signals);
    buf_free(&program.said);
    return result;
}
