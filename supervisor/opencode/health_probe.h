/*
 * One GET /global/health on a connection of its own (S-310, S-312): connect, ask, read a bounded
 * answer, say how it went, within a limit. No name is looked up and no proxy is used (S-47). OpenCode
 * never answers a request that came too early, so an unanswered probe is dropped, never waited for.
 *
 * The owner embeds the struct; it may be started again once on_result was called, and stays in
 * place until health_probe_close() and the loop have run. Times in milliseconds.
 */
#ifndef SUPERVISOR_OPENCODE_HEALTH_PROBE_H
#define SUPERVISOR_OPENCODE_HEALTH_PROBE_H

#include "common/err.h"
#include "supervisor/opencode/health_answer.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum health_result {
    HEALTH_RESULT_HEALTHY,
    HEALTH_RESULT_REFUSED, /* nobody listens */
    HEALTH_RESULT_SILENT,  /* no answer within the limit */
    HEALTH_RESULT_OTHER,   /* an answer, but not a healthy one */
};

typedef void health_result_fn(void *user, enum health_result result);

struct health_probe {
    uv_loop_t *loop;
    health_result_fn *on_result;
    void *user;
    struct sockaddr_storage address;
    char request[512];
    uv_tcp_t socket;
    uv_timer_t limit;
    uv_connect_t connect;
    uv_write_t write;
    bool active;         /* a result is due */
    bool socket_open;    /* until its close callback */
    uint64_t restart_ms; /* start again with this limit as soon as the socket is closed; 0: no */
    size_t len;
    char answer[HEALTH_ANSWER_MAX];
};

/* `host` is an address, not a name; "localhost" and the wildcards mean their loopback. `username`
 * and `password` may be NULL. */
int health_probe_init(struct health_probe *probe, uv_loop_t *loop, const char *host, int port,
                      const char *username, const char *password, health_result_fn *on_result,
                      void *user, struct err *err);
void health_probe_close(struct health_probe *probe);

/* Drops a probe under way, whose result will not be told, and starts a new one. */
void health_probe_start(struct health_probe *probe, uint64_t limit_ms);
void health_probe_cancel(struct health_probe *probe);

#endif
