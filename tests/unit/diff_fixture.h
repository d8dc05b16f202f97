/*
 * A scratch repository and the real git, to compare git/diff.h with what git prints. Commands run
 * with fixed names and dates and without the machine's configuration.
 */
#ifndef TESTS_UNIT_DIFF_FIXTURE_H
#define TESTS_UNIT_DIFF_FIXTURE_H

#include "common/buf.h"
#include "git/diff.h"
#include "tests/unit/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIFF_COMMAND_MAX 8192
#define DIFF_OUTPUT_MAX ((size_t)256 * 1024 * 1024)
#define DIFF_ARGS_MAX 24

struct diff_fixture {
    char root[64];
    char path[80]; /* the checkout */
    char base[DIFF_SHA_SIZE];
};

static inline void diff_fixture_init(struct diff_fixture *fixture)
{
    static const char *const settings[][2] = {
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_LITERAL_PATHSPECS", "1"},
        {"GIT_NO_REPLACE_OBJECTS", "1"},
        {"GIT_TERMINAL_PROMPT", "0"},
        {"LC_ALL", "C"},
        {"GIT_AUTHOR_NAME", "Test"},
        {"GIT_AUTHOR_EMAIL", "test@example.com"},
        {"GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"},
        {"GIT_COMMITTER_NAME", "Test"},
        {"GIT_COMMITTER_EMAIL", "test@example.com"},
        {"GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"},
        {"GIT_ALLOW_PROTOCOL", "file"},
    };

    *fixture = (struct diff_fixture){.root = "/tmp/oi-diff-test-XXXXXX"};
    if (!mkdtemp(fixture->root))
        abort();
    snprintf(fixture->path, sizeof fixture->path, "%s/r", fixture->root);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        setenv(settings[i][0], settings[i][1], 1);
    setenv("HOME", fixture->root, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("GIT_CONFIG_GLOBAL");
    unsetenv("GIT_DIR");
}

/* Runs bash commands in the checkout. */
static inline void diff_shell(const struct diff_fixture *fixture, const char *format, ...)
{
    char commands[DIFF_COMMAND_MAX], script[2 * DIFF_COMMAND_MAX];
    va_list args;
    FILE *pipe;

    va_start(args, format);
    vsnprintf(commands, sizeof commands, format, args);
    va_end(args);
    snprintf(script, sizeof script, "exec >>%s/shell.log 2>&1; set -ex; cd %s\n%s\n", fixture->root,
             fixture->path, commands);
    pipe = popen("exec bash", "w");
    fputs(script, pipe);
    if (pclose(pipe) != 0)
        CHECK_STR(commands, "(commands that work; KEEP_SCRATCH=1 keeps their shell.log)");
}

/* An empty repository in place of what was there. */
static inline void diff_begin(struct diff_fixture *fixture)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf %s/*; mkdir %s", fixture->root, fixture->path);
    if (system(command) != 0)
        abort();
    diff_shell(fixture, "git init -q -b main .");
}

/* What a program prints on stdout, run in the checkout. Ends with NULL. Returns its exit status. */
static inline int diff_capture(const struct diff_fixture *fixture, struct buf *out,
                               const char *const *argv)
{
    char chunk[4096];
    int ends[2], status;
    ssize_t got;
    pid_t child;

    buf_reset(out);
    if (pipe(ends) != 0)
        abort();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (!freopen("/dev/null", "w", stderr) || chdir(fixture->path) != 0)
            _exit(1);
        execvp(argv[0], (char *const *)(const void *)argv);
        _exit(127);
    }
    close(ends[1]);
    while ((got = read(ends[0], chunk, sizeof chunk)) > 0)
        buf_append(out, chunk, (size_t)got);
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* `git --no-pager diff --no-ext-diff --no-textconv ...` as B-1013 has it. */
#define DIFF_GIT "git", "--no-pager", "diff", "--no-ext-diff", "--no-textconv"
#define diff_git(fixture, out, ...) \
    diff_capture((fixture), (out), (const char *const[]){DIFF_GIT, __VA_ARGS__, NULL})

/* The commit that the session began at: HEAD as it is now. */
static inline void diff_set_base(struct diff_fixture *fixture)
{
    struct buf out = BUF_INIT(DIFF_OUTPUT_MAX);

    diff_capture(fixture, &out, (const char *const[]){"git", "rev-parse", "HEAD", NULL});
    snprintf(fixture->base, sizeof fixture->base, "%s", buf_text(&out));
    buf_free(&out);
}

static inline void diff_fixture_end(const struct diff_fixture *fixture)
{
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", fixture->root);
    if (getenv("KEEP_SCRATCH"))
        printf("  scratch: %s\n", fixture->root);
    else if (system(command) != 0)
        abort();
}

#endif
