/*
 * What the tests of net/ share: the scripted servers (net_servers.mjs, a child that ends with us),
 * one uv loop, and waiting for a thing itself with a deadline.
 */
#ifndef TESTS_UNIT_NET_FIXTURE_H
#define TESTS_UNIT_NET_FIXTURE_H

#include "net/net_context.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define FIXTURE_DEADLINE_MS 15000

struct fixture {
    uv_loop_t loop;
    struct net_context *context;
    uv_timer_t deadline;
    bool is_late;
    pid_t servers;
    int servers_stdin;
    char places[2048]; /* "name=value name=value" */
    bool is_context_closed;
};

static inline void fixture_start_servers(struct fixture *fixture)
{
    int to_child[2];
    int from_child[2];
    FILE *places;

    if (pipe(to_child) != 0 || pipe(from_child) != 0)
        abort();
    fixture->servers = fork();
    if (fixture->servers == 0) {
        dup2(to_child[0], 0);
        dup2(from_child[1], 1);
        close(to_child[1]);
        close(from_child[0]);
        execlp("node", "node", "tests/unit/net_servers.mjs", (char *)NULL);
        perror("node tests/unit/net_servers.mjs (run from the project's root)");
        _exit(1);
    }
    close(to_child[0]);
    close(from_child[1]);
    fixture->servers_stdin = to_child[1];
    places = fdopen(from_child[0], "r");
    if (!fgets(fixture->places, sizeof(fixture->places), places)) {
        fprintf(stderr, "the test servers did not start\n");
        exit(1);
    }
    fclose(places);
}

/* The value of a name printed by the servers; in a static buffer. */
static inline const char *fixture_place(const struct fixture *fixture, const char *name)
{
    static char value[512];
    char mark[64];
    const char *at;

    snprintf(mark, sizeof(mark), "%s=", name);
    for (at = strstr(fixture->places, mark); at; at = strstr(at + 1, mark)) {
        if (at == fixture->places || at[-1] == ' ')
            break;
    }
    if (!at)
        abort();
    at += strlen(mark);
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, " \n"), at);
    return value;
}

/* "scheme://host:port/path" of a server; in a static buffer. */
static inline const char *fixture_url(const struct fixture *fixture, const char *scheme,
                                      const char *host, const char *server, const char *path)
{
    static char url[2048];

    snprintf(url, sizeof(url), "%s://%s:%s%s", scheme, host, fixture_place(fixture, server), path);
    return url;
}

static inline void fixture_on_deadline(uv_timer_t *timer)
{
    ((struct fixture *)timer->data)->is_late = true;
}

/* Runs the loop until *done, or prints what did not happen and returns false. */
static inline bool fixture_wait(struct fixture *fixture, const bool *done)
{
    fixture->is_late = false;
    uv_timer_start(&fixture->deadline, fixture_on_deadline, FIXTURE_DEADLINE_MS, 0);
    while (!*done && !fixture->is_late)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    uv_timer_stop(&fixture->deadline);
    if (fixture->is_late)
        printf("  waited for %d ms in vain\n", FIXTURE_DEADLINE_MS);
    return !fixture->is_late;
}

/* Runs the loop for so long: for what must not happen. Returns how often the loop woke up. */
static inline unsigned fixture_run_for(struct fixture *fixture, uint64_t ms)
{
    unsigned rounds = 0;

    fixture->is_late = false;
    uv_timer_start(&fixture->deadline, fixture_on_deadline, ms, 0);
    for (; !fixture->is_late; rounds++)
        uv_run(&fixture->loop, UV_RUN_ONCE);
    return rounds;
}

static inline void fixture_open_context(struct fixture *fixture)
{
    struct err err = {0};

    fixture->is_context_closed = false;
    fixture->context = net_context_new(&fixture->loop, &err);
    if (!fixture->context) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static inline void fixture_on_context_closed(void *user)
{
    ((struct fixture *)user)->is_context_closed = true;
}

static inline bool fixture_close_context(struct fixture *fixture)
{
    net_context_close(fixture->context, fixture_on_context_closed, fixture);
    return fixture_wait(fixture, &fixture->is_context_closed);
}

static inline void fixture_init(struct fixture *fixture)
{
    *fixture = (struct fixture){0};
    uv_loop_init(&fixture->loop);
    uv_timer_init(&fixture->loop, &fixture->deadline);
    fixture->deadline.data = fixture;
    fixture_start_servers(fixture);
    setenv("SSL_CERT_FILE", fixture_place(fixture, "bundle"), 1);
    fixture_open_context(fixture);
}

/* True when nothing is left on the loop and the servers ended well. */
static inline bool fixture_end(struct fixture *fixture)
{
    bool is_clean = fixture_close_context(fixture);
    int status = 0;

    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    is_clean &= uv_loop_close(&fixture->loop) == 0;
    close(fixture->servers_stdin);
    waitpid(fixture->servers, &status, 0);
    return is_clean && status == 0;
}

#endif
