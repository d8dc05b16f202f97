#include "common/spawn.h"

#include "common/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Children's descriptors are gathered from here up before they are put in their places, so that a
 * wanted number, which is below, never overwrites one still needed. Low: RLIMIT_NOFILE may be. */
#define SCRATCH_FD_FIRST 10
#define CHILD_FD_MAX 16

extern char **environ;

enum step { STEP_SESSION, STEP_PARENT_DEATH, STEP_DESCRIPTORS, STEP_DIRECTORY, STEP_EXEC };

/* What the child tells through the error pipe; small enough for one atomic write. */
struct failure {
    enum step step;
    int sys;
};

static const char *const step_texts[] = {
    [STEP_SESSION] = "start a session",
    [STEP_PARENT_DEATH] = "ask to die with the parent",
    [STEP_DESCRIPTORS] = "arrange descriptors",
    [STEP_DIRECTORY] = "enter",
    [STEP_EXEC] = "exec",
};

static void reset_signals(void)
{
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int signal = 1; signal < NSIG; signal++)
        sigaction(signal, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Something to read nothing from: /dev/null, or without a /dev a pipe that nobody writes to. */
static int open_nothing(void)
{
    int null = open("/dev/null", O_RDONLY);
    int ends[2];

    if (null >= 0 || errno != ENOENT)
        return null;
    if (pipe(ends) != 0)
        return -1;
    close(ends[1]);
    return ends[0];
}

/* Puts every named descriptor in its place, /dev/null at an unnamed 0; -1 and errno. */
static int arrange_descriptors(const struct spawn_options *options, int *error_fd)
{
    int gathered[CHILD_FD_MAX];
    bool has_stdin = false;
    int moved;

    if (options->fd_count > CHILD_FD_MAX) {
        errno = EMFILE;
        return -1;
    }
    moved = fcntl(*error_fd, F_DUPFD_CLOEXEC, SCRATCH_FD_FIRST);
    if (moved < 0)
        return -1;
    *error_fd = moved;
    for (int i = 0; i < options->fd_count; i++) {
        gathered[i] = fcntl(options->fds[i].parent_fd, F_DUPFD_CLOEXEC, SCRATCH_FD_FIRST);
        if (gathered[i] < 0)
            return -1;
        has_stdin = has_stdin || options->fds[i].child_fd == STDIN_FILENO;
    }
    if (!has_stdin) {
        int null = open_nothing();

        if (null < 0 || (null != STDIN_FILENO && dup2(null, STDIN_FILENO) < 0))
            return -1;
    }
    for (int i = 0; i < options->fd_count; i++) {
        if (dup2(gathered[i], options->fds[i].child_fd) < 0)
            return -1;
    }
    return 0;
}

/* Everything above 2 that was not asked for is closed at exec. */
static void close_others_at_exec(const struct spawn_options *options)
{
    int first = STDERR_FILENO + 1;

    /* CLOEXEC is a flag of the descriptor: set on all, then taken off the wanted ones. */
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0) {
        long most = sysconf(_SC_OPEN_MAX);

        for (int fd = first; fd < most && fd < 4096; fd++)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    for (int i = 0; i < options->fd_count; i++)
        fcntl(options->fds[i].child_fd, F_SETFD, 0);
}

/* Raising it is always allowed. Failing changes nothing that the child could use. */
static void undo_oom_protection(void)
{
    char score[8];
    int fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, score, sizeof score);

    if (got >= (ssize_t)sizeof SPAWN_OOM_SCORE_PROTECTED - 1 &&
        memcmp(score, SPAWN_OOM_SCORE_PROTECTED, sizeof SPAWN_OOM_SCORE_PROTECTED - 1) == 0 &&
        pwrite(fd, "0", 1, 0) < 0)
        errno = 0;
    if (fd >= 0)
        close(fd);
}

static enum step prepare_and_exec(const struct spawn_options *options, pid_t parent, int *error_fd)
{
    reset_signals();
    if (options->new_session && setsid() < 0)
        return STEP_SESSION;
    if (options->dies_with_parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
            return STEP_PARENT_DEATH;
        /* The parent may have died before the request took effect. */
        if (getppid() != parent)
            raise(SIGKILL);
    }
    undo_oom_protection();
    if (arrange_descriptors(options, error_fd) != 0)
        return STEP_DESCRIPTORS;
    close_others_at_exec(options);
    if (options->directory && chdir(options->directory) != 0)
        return STEP_DIRECTORY;
    if (options->envp)
        environ = (char **)options->envp;
    execvp(options->program, (char *const *)options->argv);
    return STEP_EXEC;
}

static void run_child(const struct spawn_options *options, pid_t parent, int error_fd)
{
    struct failure failure = {.step = prepare_and_exec(options, parent, &error_fd), .sys = errno};
    ssize_t told = write(error_fd, &failure, sizeof failure);

    _exit(told == (ssize_t)sizeof failure ? 127 : 126);
}

static ssize_t read_failure(int fd, struct failure *failure)
{
    ssize_t got;

    do
        got = read(fd, failure, sizeof *failure);
    while (got < 0 && errno == EINTR);
    return got;
}

/* As the child saw it. */
static const char *search_path(const struct spawn_options *options)
{
    for (const char *const *one = options->envp; one && *one; one++) {
        if (strncmp(*one, "PATH=", strlen("PATH=")) == 0)
            return *one + strlen("PATH=");
    }
    return options->envp ? NULL : getenv("PATH");
}

/* Whether there is such a program at all: a script without its interpreter gives ENOENT too. */
static bool is_there(const struct spawn_options *options)
{
    const char *path = search_path(options);
    char file[PATH_MAX];

    if (strchr(options->program, '/'))
        return access(options->program, X_OK) == 0;
    while (path && *path) {
        size_t len = strcspn(path, ":");

        if (snprintf(file, sizeof file, "%.*s/%s", (int)len, path, options->program) < PATH_MAX &&
            access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

static int set_child_error(const struct spawn_options *options, const struct failure *failure,
                           struct err *err)
{
    if (failure->step == STEP_EXEC && failure->sys == ENOENT && is_there(options))
        return err_set_sys(err, ENOENT,
                           "start %s: its loader, or the program that its first line names",
                           options->program);
    if (failure->step == STEP_EXEC && failure->sys == ENOENT && !strchr(options->program, '/'))
        return err_set_sys(err, ENOENT, "start %s: it is not on PATH", options->program);
    if (failure->step != STEP_DIRECTORY && failure->step != STEP_EXEC)
        return err_set_sys(err, failure->sys, "start %s: %s", options->program,
                           step_texts[failure->step]);
    return err_set_sys(err, failure->sys, "start %s: %s %s", options->program,
                       step_texts[failure->step],
                       failure->step == STEP_DIRECTORY ? options->directory : options->program);
}

int spawn_process(const struct spawn_options *options, pid_t *pid, struct err *err)
{
    struct failure failure;
    sigset_t all, before;
    pid_t parent = getpid();
    pid_t child;
    int pipe_fds[2];

    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return err_set_sys(err, errno, "start %s: pipe", options->program);
    /* No handler of ours may run in the child before it has reset them. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    child = fork();
    if (child == 0)
        run_child(options, parent, pipe_fds[1]);
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(pipe_fds[1]);
    if (child < 0) {
        close(pipe_fds[0]);
        return err_set_sys(err, errno, "start %s: fork", options->program);
    }
    if (read_failure(pipe_fds[0], &failure) == (ssize_t)sizeof failure) {
        close(pipe_fds[0]);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
        return set_child_error(options, &failure, err);
    }
    close(pipe_fds[0]);
    *pid = child;
    return 0;
}
