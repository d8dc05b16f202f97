/*
 * What the tests of git/ and of its workers share: a scratch directory, real repositories made with
 * the git command, and a git server over HTTPS (git_server.mjs, a child that ends with us). The
 * environment is cut off from the machine's git configuration and proxies.
 */
#ifndef TESTS_UNIT_GIT_FIXTURE_H
#define TESTS_UNIT_GIT_FIXTURE_H

#include "git/access.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_TOKEN "test-token-0123456789"
#define FIXTURE_COMMAND_MAX 8192

struct git_fixture {
    char root[64];
    char url[128];      /* of acme/app */
    char checkout[128]; /* root/workspace/app */
    char authority[128], stranger[128];
    int port, proxy_port; /* the proxy wants user:secret */
    pid_t server;
    FILE *to_server, *from_server;
    struct git_access access;
};

/* Runs shell commands in the scratch directory; returns the exit status. */
static inline int git_shell(const struct git_fixture *fixture, const char *format, ...)
{
    char commands[FIXTURE_COMMAND_MAX], all[2 * FIXTURE_COMMAND_MAX];
    va_list args;
    int status;

    va_start(args, format);
    vsnprintf(commands, sizeof commands, format, args);
    va_end(args);
    snprintf(all, sizeof all, "exec >>%s/shell.log 2>&1; set -ex; cd %s; %s", fixture->root,
             fixture->root, commands);
    status = system(all);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What shell commands print, without the last newline; in a static buffer. */
static inline const char *git_output(const struct git_fixture *fixture, const char *format, ...)
{
    static char output[FIXTURE_COMMAND_MAX];
    char commands[FIXTURE_COMMAND_MAX], all[2 * FIXTURE_COMMAND_MAX];
    va_list args;
    size_t len;
    FILE *pipe;

    va_start(args, format);
    vsnprintf(commands, sizeof commands, format, args);
    va_end(args);
    snprintf(all, sizeof all, "cd %s; %s", fixture->root, commands);
    pipe = popen(all, "r");
    len = fread(output, 1, sizeof output - 1, pipe);
    pclose(pipe);
    while (len && output[len - 1] == '\n')
        len--;
    output[len] = '\0';
    return output;
}

/* "stall=answer" and the like; also asks ("requests"). The answer is in a static buffer. */
static inline const char *git_server_tell(struct git_fixture *fixture, const char *line)
{
    static char answer[64];

    fprintf(fixture->to_server, "%s\n", line);
    fflush(fixture->to_server);
    if (!fgets(answer, sizeof answer, fixture->from_server))
        abort();
    answer[strcspn(answer, "\n")] = '\0';
    return answer;
}

static inline void git_fixture_start_server(struct git_fixture *fixture)
{
    int to_child[2], from_child[2];
    char line[512];

    if (pipe(to_child) != 0 || pipe(from_child) != 0)
        abort();
    fixture->server = fork();
    if (fixture->server == 0) {
        dup2(to_child[0], 0);
        dup2(from_child[1], 1);
        close(to_child[1]);
        close(from_child[0]);
        execlp("node", "node", "tests/unit/git_server.mjs", fixture->root, (char *)NULL);
        perror("node tests/unit/git_server.mjs (run from the project's root)");
        _exit(1);
    }
    close(to_child[0]);
    close(from_child[1]);
    fixture->to_server = fdopen(to_child[1], "w");
    fixture->from_server = fdopen(from_child[0], "r");
    if (!fgets(line, sizeof line, fixture->from_server) ||
        sscanf(line, "%d %127s %127s %d", &fixture->port, fixture->authority, fixture->stranger,
               &fixture->proxy_port) != 4) {
        fprintf(stderr, "the git server did not start\n");
        exit(1);
    }
}

static inline void git_fixture_isolate(const struct git_fixture *fixture)
{
    static const char *const unwanted[] = {
        "http_proxy",   "https_proxy",    "HTTP_PROXY",        "HTTPS_PROXY",
        "all_proxy",    "ALL_PROXY",      "no_proxy",          "NO_PROXY",
        "SSL_CERT_DIR", "GIT_SSL_CAINFO", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM",
        "GIT_DIR",      "GIT_WORK_TREE",  "XDG_CONFIG_HOME",   "GIT_INDEX_FILE",
    };
    char home[128];

    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        unsetenv(unwanted[i]);
    snprintf(home, sizeof home, "%s/home", fixture->root);
    mkdir(home, 0755);
    setenv("HOME", home, 1);
    setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    setenv("TEST_TOKEN", TEST_TOKEN, 1);
    setenv("GIT_AUTHOR_NAME", "Ada", 1);
    setenv("GIT_AUTHOR_EMAIL", "ada@example.com", 1);
    setenv("GIT_COMMITTER_NAME", "Ada", 1);
    setenv("GIT_COMMITTER_EMAIL", "ada@example.com", 1);
}

/* acme/app: 150 commits; branches trunk (HEAD), main and feature/x. acme/empty: nothing. `source` is
 * a checkout of acme/app that pushes by path. */
static inline void git_fixture_make_repositories(const struct git_fixture *fixture)
{
    int status = git_shell(
        fixture,
        "git init -q -b trunk source; cd source; mkdir docs;"
        "for i in 1 2 3 4 5 6 7 8 9; do echo \"page $i\" >docs/$i.md; done; echo one >file;"
        "ln -s docs/1.md link; echo '#!/bin/sh' >run.sh; chmod +x run.sh; git add .;"
        "git commit -qm first; for i in $(seq 149); do echo \"commit refs/heads/trunk\";"
        "echo \"committer Ada <ada@example.com> $((1700000000 + i)) +0000\"; echo 'data 4'; echo "
        "next;"
        "test $i != 1 || echo 'from refs/heads/trunk^0'; done | git fast-import --quiet;"
        "git tag v1; git branch main; git branch feature/x; cd ..;"
        "mkdir -p repositories/acme; git clone -q --bare source repositories/acme/app.git;"
        "git init -q --bare -b main repositories/acme/empty.git;"
        "git -C source remote add origin ../repositories/acme/app.git; mkdir workspace");

    if (status != 0) {
        fprintf(stderr, "cannot make the repositories:\n%s\n",
                git_output(fixture, "tail -20 shell.log"));
        exit(1);
    }
}

static inline void git_fixture_init(struct git_fixture *fixture)
{
    *fixture = (struct git_fixture){.root = "/tmp/oi-git-test-XXXXXX"};
    if (!mkdtemp(fixture->root))
        abort();
    git_fixture_isolate(fixture);
    git_fixture_make_repositories(fixture);
    git_fixture_start_server(fixture);
    setenv("SSL_CERT_FILE", fixture->authority, 1);
    snprintf(fixture->url, sizeof fixture->url, "https://localhost:%d/acme/app.git", fixture->port);
    snprintf(fixture->checkout, sizeof fixture->checkout, "%s/workspace/app", fixture->root);
    fixture->access = (struct git_access){
        .url = fixture->url,
        .repository = "acme/app",
        .password = TEST_TOKEN,
        .limits = {.connect_ms = 10000, .stall_ms = 10000, .total_ms = 60000},
    };
}

/* 0 when the server ended well. */
static inline int git_fixture_end(struct git_fixture *fixture)
{
    int status = -1;

    fclose(fixture->to_server);
    fclose(fixture->from_server);
    waitpid(fixture->server, &status, 0);
    if (getenv("KEEP_SCRATCH"))
        printf("  scratch: %s\n", fixture->root);
    else
        git_shell(fixture, "chmod -R u+w .; rm -rf %s", fixture->root);
    return status;
}

#endif
