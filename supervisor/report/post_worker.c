#include "supervisor/report/post_worker.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/worker.h"
#include "net/http_request.h"

#include <stdio.h>
#include <string.h>

#define AUTHORIZATION_MAX (16 * 1024)
#define ANSWER_MAX 4096
#define FIRST_PAUSE_S 2 /* doubled each time (S-169) */
#define MS_PER_S 1000
#define HEADERS_MAX 3

struct post {
    uv_loop_t loop;
    struct net_context *context;
    int status; /* 0: no answer */
    struct err err;
};

bool post_worker_may_retry(int status)
{
    static const int final[] = {400, 401, 403, 404, 409, 410};

    for (size_t i = 0; i < ARRAY_LENGTH(final); i++) {
        if (status == final[i])
            return false;
    }
    return status < 200 || status > 299;
}

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct post *post = user;

    if (response)
        post->status = response->status;
    else
        post->err = *err;
    net_context_close(post->context, NULL, NULL);
}

static void start_request(struct post *post, const cJSON *input)
{
    AUTO_SECRET_BUF struct buf authorization = BUF_INIT(AUTHORIZATION_MAX);
    const char *body = json_get_string(input, "body");
    const char *token = json_get_nonempty(input, "token");
    const char *user_agent = json_get_nonempty(input, "user_agent");
    struct net_header headers[HEADERS_MAX] = {{"Content-Type", "application/json"}};
    struct http_request_options options = {
        .method = "POST",
        .url = json_get_string(input, "url"),
        .headers = headers,
        .header_count = 1,
        .body = body,
        .body_len = strlen(body),
        .max_body = ANSWER_MAX,
        .cut_body = true,
    };
    double limit_ms = 0;

    json_get_number(input, "limit_ms", &limit_ms);
    options.total_limit_ms = (uint64_t)limit_ms;
    if (token) {
        buf_printf(&authorization, "Bearer %s", token);
        headers[options.header_count++] =
            (struct net_header){"Authorization", buf_text(&authorization)};
    }
    if (user_agent)
        headers[options.header_count++] = (struct net_header){"User-Agent", user_agent};
    post->context = net_context_new(&post->loop, &post->err);
    if (post->context && !http_request_start(post->context, &options, on_done, post, &post->err))
        net_context_close(post->context, NULL, NULL);
}

static void try_once(struct post *post, const cJSON *input)
{
    post->status = 0;
    err_clear(&post->err);
    start_request(post, input);
    uv_run(&post->loop, UV_RUN_DEFAULT);
}

static void tell_retry(const struct post *post, unsigned attempt, unsigned pause_s)
{
    cJSON *line = worker_line_new("retry");
    char answer[32];

    snprintf(answer, sizeof answer, "HTTP %d", post->status);
    json_add_number(line, "attempt", attempt);
    json_add_number(line, "delay_s", pause_s);
    json_add_string(line, "error", post->status ? answer : post->err.text);
    worker_emit(WORKER_OUTPUT_FD, line);
}

/* Returns the number of the last attempt. */
static unsigned try_all(struct post *post, const cJSON *input)
{
    unsigned pause_s = FIRST_PAUSE_S;
    double attempts = 1;

    json_get_number(input, "attempts", &attempts);
    for (unsigned attempt = 1;; attempt++, pause_s *= 2) {
        try_once(post, input);
        if (attempt >= attempts || !post_worker_may_retry(post->status))
            return attempt;
        tell_retry(post, attempt, pause_s);
        uv_sleep(pause_s * MS_PER_S); /* this process has nothing else to do */
    }
}

int post_worker_main(void)
{
    struct post post = {0};
    AUTO_SECRET_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &post.err);
    unsigned attempt = 0;
    cJSON *result;
    bool ok;

    uv_loop_init(&post.loop);
    if (input && json_get_string(input, "url") && json_get_string(input, "body"))
        attempt = try_all(&post, input);
    else if (input)
        err_set(&post.err, ERR_INTERNAL, "post: input without url or body");
    uv_loop_close(&post.loop);
    ok = post.status != 0;
    result = worker_result_new(ok ? NULL : &post.err);
    json_add_number(result, "attempt", attempt);
    if (ok)
        json_add_number(result, "status", post.status);
    return worker_emit(WORKER_OUTPUT_FD, result) == 0 && ok ? 0 : 1;
}
