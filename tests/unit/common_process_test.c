/* Children start clean or say why not; files are written whole. */
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/spawn.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FEW_DESCRIPTORS 16
#define INHERITED_MAX 256
#define TOO_FEW_DESCRIPTORS 10

static char scratch[] = "/tmp/oi-process-test-XXXXXX";

/* Runs a shell line with its output on a pipe; returns the output. */
static const char *shell_output(const char *line, struct spawn_options options)
{
    static char output[4096];
    const char *argv[] = {"sh", "-c", line, NULL};
    struct spawn_fd fds[2] = {{.child_fd = 1}, {.child_fd = 7}};
    size_t len = 0;
    ssize_t got;
    pid_t pid;
    int pipe_fds[2];

    if (pipe(pipe_fds) != 0)
        return NULL;
    fds[0].parent_fd = pipe_fds[1];
    fds[1].parent_fd = pipe_fds[1];
    options.program = "sh";
    options.argv = argv;
    options.fds = fds;
    options.fd_count = 2;
    if (spawn_process(&options, &pid, NULL) != 0)
        return NULL;
    close(pipe_fds[1]);
    while ((got = read(pipe_fds[0], output + len, sizeof output - 1 - len)) > 0)
        len += (size_t)got;
    output[len] = '\0';
    close(pipe_fds[0]);
    waitpid(pid, NULL, 0);
    return output;
}

/* There is room for the pipe that tells of errors, and for no more. */
static void check_too_few(void)
{
    const char *argv[] = {"sh", "-c", "exit 0", NULL};
    struct spawn_options options = {.program = "sh", .argv = argv};
    struct err err = {0};
    pid_t pid;

    CHECK(spawn_process(&options, &pid, &err) != 0);
    CHECK_STR(err.text, "start sh: arrange descriptors: Invalid argument");
}

static void test_spawn(void)
{
    int stray = open("/", O_RDONLY); /* without close-on-exec, as a careless library leaves it */

    TEST("a child sees only the descriptors it was given, and /dev/null as its input") {
        CHECK_STR(shell_output("for n in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && "
                               "printf $n; done; readlink /proc/$$/fd/0",
                               (struct spawn_options){0}),
                  "0127/dev/null\n");
    }
    TEST("few descriptors are enough, and too few are an error that says so") {
        struct rlimit before, few;

        getrlimit(RLIMIT_NOFILE, &before);
        few = (struct rlimit){.rlim_cur = FEW_DESCRIPTORS, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        CHECK_STR(shell_output("echo started", (struct spawn_options){0}), "started\n");
        few.rlim_cur = TOO_FEW_DESCRIPTORS;
        setrlimit(RLIMIT_NOFILE, &few);
        check_too_few();
        setrlimit(RLIMIT_NOFILE, &before);
    }
    TEST("a child has default signals and an empty mask, whatever ours are") {
        sigset_t all, before;

        signal(SIGPIPE, SIG_IGN);
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &before);
        /* 32 to 34 are the C library's own: it lets nobody change them, and glibc's posix_spawn (of
         * make, for one) hands them on ignored. */
        CHECK_STR(shell_output("while read -r name mask; do case $name in SigBlk: | SigIgn:) "
                               "echo $name $((0x$mask & ~0x380000000)) ;; esac; "
                               "done </proc/self/status",
                               (struct spawn_options){0}),
                  "SigBlk: 0\nSigIgn: 0\n");
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    TEST("a new session makes the child the leader of its group") {
        const char *out = shell_output("test $$ = $(ps -o pgid= -p $$) && echo leads",
                                       (struct spawn_options){.new_session = true});
        CHECK_STR(out, "leads\n");
    }
    TEST("a child runs where and with what it was told") {
        const char *const envp[] = {"ONLY=this", "PATH=/usr/bin:/bin", NULL};

        CHECK_STR(shell_output("echo $PWD $ONLY $HOME",
                               (struct spawn_options){.directory = "/usr", .envp = envp}),
                  "/usr this\n");
    }
    close(stray);
}

static void test_spawn_failures(void)
{
    const char *const argv[] = {"nothing", NULL};
    struct spawn_options options = {.program = "/no/such/program", .argv = argv};
    struct err err = {0};
    pid_t pid;

    TEST("a program that is not there is an error of the caller, not an exit code") {
        CHECK_INT(spawn_process(&options, &pid, &err), -1);
        CHECK_STR(err.text, "start /no/such/program: exec /no/such/program: "
                            "No such file or directory");
        CHECK(waitpid(-1, NULL, WNOHANG) < 0);
    }
    TEST("a program that is not on PATH is said to be just that") {
        options.program = "no-such-program";
        CHECK_INT(spawn_process(&options, &pid, &err), -1);
        CHECK_STR(err.text, "start no-such-program: it is not on PATH: No such file or directory");
    }
    TEST("a script whose interpreter is missing is not said to be missing itself") {
        char path[128];
        char script[160];

        snprintf(script, sizeof script, "%s/script", scratch);
        CHECK_INT(file_write_atomic(script, "#!/no/such/sh\n", 14, 0755, false, NULL), 0);
        snprintf(path, sizeof path, "PATH=/nowhere:%s", scratch);
        options.program = "script";
        options.envp = (const char *const[]){path, NULL};
        CHECK_INT(spawn_process(&options, &pid, &err), -1);
        CHECK_STR(err.text, "start script: its loader, or the program that its first line names: "
                            "No such file or directory");
        options.program = script;
        options.envp = NULL;
        CHECK_INT(spawn_process(&options, &pid, &err), -1);
        CHECK(strstr(err.text, "/script: its loader, or the program that its first line names: ") !=
              NULL);
        unlink(script);
    }
    TEST("a directory that is not there is named") {
        options.program = "/bin/true";
        options.directory = "/no/such/directory";
        CHECK_INT(spawn_process(&options, &pid, &err), -1);
        CHECK_STR(err.text, "start /bin/true: enter /no/such/directory: "
                            "No such file or directory");
    }
}

static void test_death_with_parent(void)
{
    TEST("a child that shall die with its parent does") {
        int alive[2];
        pid_t parent;
        char byte;

        if (pipe(alive) != 0)
            return;
        parent = fork();
        if (parent == 0) {
            const char *const argv[] = {"sleep", "60", NULL};
            const struct spawn_fd fds[] = {{alive[1], 5}};
            struct spawn_options options = {.program = "sleep",
                                            .argv = argv,
                                            .fds = fds,
                                            .fd_count = 1,
                                            .dies_with_parent = true};
            pid_t pid;

            _exit(spawn_process(&options, &pid, NULL) == 0 ? 0 : 1);
        }
        close(alive[1]);
        waitpid(parent, NULL, 0);
        /* End of file: nobody holds the other end any more. */
        alarm(10);
        CHECK_INT(read(alive[0], &byte, 1), 0);
        alarm(0);
        close(alive[0]);
    }
}

static void test_files(void)
{
    AUTO_BUF struct buf text = BUF_INIT(10);
    struct err err = {0};
    char path[200], deep[200];
    struct stat st;

    snprintf(path, sizeof path, "%s/a", scratch);
    snprintf(deep, sizeof deep, "%s/x/y/z", scratch);
    TEST("a file is replaced as a whole, with its mode") {
        CHECK_INT(file_write_atomic(path, "one", 3, 0600, false, &err), 0);
        CHECK_INT(file_write_atomic(path, "two", 3, 0600, true, &err), 0);
        CHECK_INT(file_read(path, &text, &err), 0);
        CHECK_STR(buf_text(&text), "two");
        CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    }
    TEST("a file that is larger than wanted is an error") {
        CHECK_INT(file_write_atomic(path, "elevenbytes", 11, 0600, false, &err), 0);
        buf_reset(&text);
        CHECK_INT(file_read(path, &text, &err), -1);
        CHECK_INT(err.class, ERR_LIMIT);
    }
    TEST("a missing file is told apart") {
        CHECK_INT(file_read(deep, &text, &err), -1);
        CHECK_INT(err.class, ERR_NOT_FOUND);
    }
    TEST("a pipe in place of a file does not make the reader wait") {
        char pipe_path[250];

        snprintf(pipe_path, sizeof pipe_path, "%s/pipe", scratch);
        CHECK_INT(mkfifo(pipe_path, 0600), 0);
        buf_reset(&text);
        CHECK_INT(file_read(pipe_path, &text, &err), 0);
        CHECK_INT(text.len, 0);
        unlink(pipe_path);
    }
    TEST("nor does one in place of the temporary file, or what a killed write left there, the "
         "writer") {
        char left[250];

        snprintf(left, sizeof left, "%s.%d.tmp", path, (int)getpid());
        CHECK_INT(mkfifo(left, 0644), 0);
        alarm(10);
        CHECK_INT(file_write_atomic(path, "new", 3, 0600, false, &err), 0);
        alarm(0);
        buf_reset(&text);
        CHECK_INT(file_read(path, &text, &err), 0);
        CHECK_STR(buf_text(&text), "new");
        CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    }
}

static void test_trees(void)
{
    struct err err = {0};
    char path[200], deep[200];

    snprintf(path, sizeof path, "%s/a", scratch);
    snprintf(deep, sizeof deep, "%s/x/y/z", scratch);
    TEST("a file in place of a directory is an error that names it") {
        CHECK_INT(file_write_atomic(path, "", 0, 0600, false, &err), 0);
        CHECK_INT(file_make_directories(path, 0755, &err), -1);
        CHECK(strstr(err.text, path) && strstr(err.text, "Not a directory"));
    }
    TEST("trees are made, and removed without following links") {
        char link[250];

        CHECK_INT(file_make_directories(deep, 0755, &err), 0);
        CHECK_INT(file_make_directories(deep, 0755, &err), 0);
        snprintf(link, sizeof link, "%s/link", deep);
        CHECK_INT(symlink(path, link), 0);
        snprintf(deep, sizeof deep, "%s/x", scratch);
        CHECK_INT(file_remove_tree(deep, &err), 0);
        CHECK(!file_exists(deep) && file_exists(path));
        CHECK_INT(file_remove_tree(deep, &err), 0);
    }
}

int main(void)
{
    if (!mkdtemp(scratch))
        return 1;
    /* What started us may have left descriptors open, and these tests count them. */
    for (int fd = STDERR_FILENO + 1; fd < INHERITED_MAX; fd++)
        close(fd);
    test_spawn();
    test_spawn_failures();
    test_death_with_parent();
    test_files();
    test_trees();
    file_remove_tree(scratch, NULL);
    return check_done();
}
