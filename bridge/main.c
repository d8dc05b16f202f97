#include "bridge/bridge.h"
#include "bridge/diff_worker.h"
#include "bridge/git_config_worker.h"
#include "bridge/push_worker.h"
#include "bridge/signer/git_sign.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/file.h"
#include "common/json_pool.h"
#include "common/version.h"
#include "common/worker.h"
#include "git/library.h"
#include "net/net_context.h"

#include <cJSON.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#define EXIT_FAILURE_AT_START 1
#define EXIT_USAGE 2
#define TOKEN_MAX_BYTES ((size_t)16 * 1024)

static int print_versions(void)
{
    printf("oi-bridge %s\nlibuv %s, libgit2 %s, %s, cJSON %s\n", version_text(),
           uv_version_string(), library_version(), net_context_versions(), cJSON_Version());
    return EXIT_SUCCESS;
}

static int run_worker(const char *name)
{
    /* Killed in the middle it would leave git's lock file. It never lasts. */
    if (strcmp(name, "git-config") == 0)
        return git_config_worker_main();
    /* What an earlier bridge began must not go on when it was killed (D-27). */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (worker_is_orphan(WORKER_OUTPUT_FD))
        return EXIT_FAILURE_AT_START;
    if (strcmp(name, "push") == 0)
        return push_worker_main();
    if (strcmp(name, "diff") == 0)
        return diff_worker_main();
    fprintf(stderr, "oi-bridge: there is no worker named %s\n", name);
    return EXIT_USAGE;
}

/* Reads the credential up to the end of the descriptor; a final newline is no part of it. */
static char *read_token(int fd, struct err *err)
{
    AUTO_CLOSE int source = fd;
    AUTO_BUF struct buf text = BUF_INIT(TOKEN_MAX_BYTES);
    char chunk[512];
    ssize_t count;

    while ((count = read(source, chunk, sizeof chunk)) != 0) {
        if (count < 0 && errno != EINTR) {
            err_set_sys(err, errno, "--token-fd %d", fd);
            return NULL;
        }
        if (count > 0)
            buf_append(&text, chunk, (size_t)count);
    }
    while (text.len > 0 && strchr("\r\n", text.data[text.len - 1]))
        text.data[--text.len] = '\0';
    if (buf_failed(&text) || text.len == 0) {
        err_set(err, ERR_CONFIG, "--token-fd %d: no credential in it", fd);
        return NULL;
    }
    return buf_take(&text);
}

/* The credential in memory of its own; what stood in argv is overwritten, for ps to show no more. */
static char *take_token(const struct options *options, int argc, char **argv, struct err *err)
{
    char *token;

    if (!options->token)
        return read_token(options->token_fd, err);
    token = strdup(options->token);
    for (int i = 1; token && i < argc; i++) {
        size_t len = strlen(argv[i]);

        if (options->token >= argv[i] && options->token <= argv[i] + len)
            memset(argv[i] + (options->token - argv[i]), 'x', strlen(token));
    }
    return token;
}

static struct log *open_log(const struct options *options)
{
    struct log *log = log_new(STDOUT_FILENO, env_get_or("OI_LOG_SERVICE", "sandbox"), "bridge");

    if (!log)
        return NULL;
    log_set_ids(log, options->sandbox_id, options->session_id);
    redact_add_secret(log_redact(log), options->token);
    redact_add_secret(log_redact(log), env_get("SANDBOX_AUTH_TOKEN"));
    redact_add_secret(log_redact(log), env_get("GITHUB_APP_TOKEN"));
    redact_add_secret(log_redact(log), env_get("OPENCODE_SERVER_PASSWORD"));
    return log;
}

static int run_bridge(const struct options *options)
{
    struct log *log = open_log(options);
    struct limits limits;
    struct err err = {0};
    struct bridge *bridge;
    uv_loop_t loop;

    if (!log || uv_loop_init(&loop) != 0) {
        fprintf(stderr, "oi-bridge: out of memory or descriptors\n");
        log_free(log);
        return EXIT_FAILURE_AT_START;
    }
    limits_read(&limits, log);
    bridge = bridge_new(&loop, options, &limits, log, &err);
    if (bridge) {
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_run(&loop, UV_RUN_NOWAIT); /* what was being closed when the loop was stopped */
        bridge_free(bridge);
    } else {
        log_at(log, LOG_ERROR, "bridge.start_failed", LOG_ERR(&err));
    }
    /* Fails only when a name look-up is left over; the process ends all the same. */
    uv_loop_close(&loop);
    log_free(log);
    return bridge ? EXIT_SUCCESS : EXIT_FAILURE_AT_START;
}

int main(int argc, char **argv)
{
    struct options options;
    struct err err = {0};
    char *token;
    int status;

    if (git_sign_is_meant(argc > 0 ? argv[0] : NULL))
        return git_sign_main(argc, argv);
    if (options_parse(argc, argv, env_get, &options, &err) != 0) {
        fprintf(stderr, "oi-bridge: %s\n%s", err.text, OPTIONS_USAGE);
        return EXIT_USAGE;
    }
    switch (options.action) {
    case OPTIONS_HELP:
        fputs(OPTIONS_USAGE, stdout);
        return EXIT_SUCCESS;
    case OPTIONS_VERSION:
        return print_versions();
    case OPTIONS_WORKER:
        return run_worker(options.worker);
    case OPTIONS_RUN:
        break;
    }
    json_pool_install();
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write */
    token = take_token(&options, argc, argv, &err);
    if (!token) {
        fprintf(stderr, "oi-bridge: %s\n", err.text);
        return EXIT_USAGE;
    }
    options.token = token;
    status = run_bridge(&options);
    explicit_bzero(token, strlen(token));
    free(token);
    return status;
}
