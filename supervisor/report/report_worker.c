#include "supervisor/report/report_worker.h"

#include "common/json.h"
#include "common/worker.h"
#include "net/http_request.h"

#include <stdio.h>
#include <string.h>

#define AUTHORIZATION_MAX (16 * 1024)
#define ANSWER_MAX 4096

struct report {
    struct net_context *context;
    int status; /* 0: no answer */
    struct err err;
};

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct report *report = user;

    if (response)
        report->status = response->status;
    else
        report->err = *err;
    net_context_close(report->context, NULL, NULL);
}

static int send_report(struct report *report, uv_loop_t *loop, const cJSON *input)
{
    AUTO_BUF struct buf authorization = BUF_INIT(AUTHORIZATION_MAX);
    const char *url = json_get_string(input, "url");
    const char *body = json_get_string(input, "body");
    const char *token = json_get_nonempty(input, "token");
    struct net_header headers[2] = {{"Content-Type", "application/json"}};
    struct http_request_options options = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = 1,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .max_body = ANSWER_MAX,
        .cut_body = true,
        .total_limit_ms = REPORT_LIMIT_MS,
    };

    if (!url || !body)
        return err_set(&report->err, ERR_INTERNAL, "report: input without url or body");
    if (token) {
        buf_printf(&authorization, "Bearer %s", token);
        headers[options.header_count++] =
            (struct net_header){"Authorization", buf_text(&authorization)};
    }
    report->context = net_context_new(loop, &report->err);
    if (!report->context)
        return -1;
    if (http_request_start(report->context, &options, on_done, report, &report->err))
        return 0;
    net_context_close(report->context, NULL, NULL);
    return -1;
}

int report_worker_main(void)
{
    struct report report = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &report.err);
    cJSON *result;
    uv_loop_t loop;
    bool ok;

    uv_loop_init(&loop);
    if (input)
        send_report(&report, &loop, input);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    ok = report.status != 0;
    result = worker_result_new(ok ? NULL : &report.err);
    if (ok)
        json_add_number(result, "status", report.status);
    return worker_emit(WORKER_OUTPUT_FD, result) == 0 && ok ? 0 : 1;
}
