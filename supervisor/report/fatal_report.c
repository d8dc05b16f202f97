#include "supervisor/report/fatal_report.h"

#include "common/json.h"
#include "common/url.h"
#include "common/wtf8.h"
#include "supervisor/report/post_worker.h"

#include <stdlib.h>
#include <string.h>

#define URL_MAX (16 * 1024)
#define LIMIT_MS 5000 /* S-168: for the whole request */
/* The worker keeps S-168's limit itself. */
#define WORKER_LIMIT_MS (LIMIT_MS + 500)
#define REDACTED_MAX \
    (256 * 1024) /* all problems of a configuration, with longer words for secrets */
#define HTTP_OK_FIRST 200
#define HTTP_OK_LAST 299

static void on_done(void *user, const cJSON *result, const struct err *err)
{
    struct fatal_report *report = user;
    const char *class = json_get_string(result, "error_class");
    const char *text = json_get_string(result, "error");
    double status = 0;

    if (json_get_number(result, "status", &status)) {
        if (status < HTTP_OK_FIRST || status > HTTP_OK_LAST)
            log_at(report->log, LOG_WARNING, "supervisor.report_error_rejected",
                   LOG_NUM("status", status));
        return;
    }
    log_at(report->log, LOG_ERROR, "supervisor.report_error_failed",
           LOG_STR("error_type", class ? class : err_class_name(err ? err->class : ERR_INTERNAL)),
           LOG_STR("error_message", text  ? text
                                    : err ? err->text
                                          : ""));
}

void fatal_report_init(struct fatal_report *report, uv_loop_t *loop, struct reaper *reaper,
                       struct log *log)
{
    *report = (struct fatal_report){.log = log};
    worker_init(&report->worker, POST_WORKER_NAME, loop, reaper, log,
                (struct worker_listener){.on_done = on_done, .user = report});
}

void fatal_report_close(struct fatal_report *report)
{
    worker_close(&report->worker);
}

static char *build_body(struct log *log, const char *text)
{
    AUTO_BUF struct buf clean = BUF_INIT(REDACTED_MAX);
    AUTO_JSON cJSON *body = cJSON_CreateObject();

    /* Redacted before it is cut: half a secret would not be recognised. */
    redact_text(log_redact(log), text, strlen(text), &clean);
    if (clean.len > FATAL_REPORT_TEXT_MAX)
        clean.data[wtf8_cut(clean.data, clean.len, FATAL_REPORT_TEXT_MAX)] = '\0';
    json_add_string(body, "error", buf_text(&clean));
    json_add_bool(body, "fatal", true);
    return json_to_string(body);
}

void fatal_report_send(struct fatal_report *report, const struct config *config, const char *text)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX);
    AUTO_SECRET_JSON cJSON *input = cJSON_CreateObject();
    char *body;
    struct err err;

    if (!*config->control_plane_url || report->worker.process.running)
        return;
    buf_printf(&url, "%s/sandbox/", config->control_plane_url);
    url_encode(config->sandbox_id, &url);
    buf_puts(&url, "/error");
    body = build_body(report->log, text);
    json_add_string(input, "url", buf_text(&url));
    json_add_string(input, "body", body);
    json_add_number(input, "limit_ms", LIMIT_MS);
    if (*config->auth_token)
        json_add_string(input, "token", config->auth_token);
    free(body);
    if (worker_start(&report->worker, input, WORKER_LIMIT_MS, &err) != 0)
        on_done(report, NULL, &err);
}
