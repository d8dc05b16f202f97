#include "bridge/push_worker.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/redact.h"
#include "common/url.h"
#include "common/worker.h"
#include "git/access.h"
#include "git/library.h"
#include "git/progress.h"
#include "git/push.h"
#include "git/push_need.h"
#include "git/push_program.h"

#include <errno.h>
#include <string.h>

/* Used for what the input leaves out. */
enum { DEFAULT_CONNECT_S = 30, DEFAULT_TOTAL_S = 300 /* B-814 */ };

enum { URL_MAX = 8 * 1024, WHY_MAX = 1024 };

struct job {
    struct git_access access;
    const char *path;
    const char *refspec;
    bool force;
    struct buf url, username, password; /* remote_url taken apart */
};

static void on_progress(void *user, const struct git_progress *progress)
{
    cJSON *line = worker_line_new("progress");

    (void)user;
    json_add_string(line, "phase", git_phase_name(progress->phase));
    json_add_number(line, "sent_objects", (double)progress->done);
    json_add_number(line, "total_objects", (double)progress->total);
    json_add_number(line, "sent_bytes", (double)progress->bytes);
    json_add_number(line, "percent", progress_percent(progress));
    worker_emit(WORKER_OUTPUT_FD, line);
}

/* Separates "user:password" from the URL, so that only libgit2's credentials callback sees it. */
static int split_url(const char *text, struct job *job, struct err *err)
{
    AUTO_URL struct url url = {0};
    const char *colon;

    if (url_parse(text, &url, err) < 0)
        return -1;
    buf_printf(&job->url, "%s://", url.scheme);
    url_print_host(&url, &job->url);
    buf_puts(&job->url, url.target);
    if (url.userinfo) {
        colon = strchr(url.userinfo, ':');
        url_decode(url.userinfo, colon ? (size_t)(colon - url.userinfo) : strlen(url.userinfo),
                   &job->username);
        if (colon)
            url_decode(colon + 1, strlen(colon + 1), &job->password);
        job->access.username = buf_text(&job->username);
        job->access.password = buf_text(&job->password);
    }
    if (buf_failed(&job->url) || buf_failed(&job->username) || buf_failed(&job->password))
        return err_set(err, ERR_LIMIT, "the remote's URL is too long");
    job->access.url = buf_text(&job->url);
    return 0;
}

static int read_job(const cJSON *input, struct job *job, struct err *err)
{
    const cJSON *limits = json_get_object(input, "limits");
    const char *url = json_get_nonempty(input, "remote_url");

    job->path = json_get_nonempty(input, "path");
    job->refspec = json_get_nonempty(input, "refspec");
    job->force = json_get_bool(input, "force", false);
    if (!job->path || !url || !job->refspec)
        return err_set(err, ERR_CONFIG,
                       "worker input lacks \"path\", \"remote_url\" or \"refspec\"");
    job->access.limits.connect_ms = worker_limit_ms(limits, "connect_s", DEFAULT_CONNECT_S);
    /* No limit of its own for silence: the server's hooks may run for long without a word. */
    job->access.limits.total_ms = worker_limit_ms(limits, "total_s", DEFAULT_TOTAL_S);
    job->access.on_progress = on_progress;
    return split_url(url, job, err);
}

/* What a remote's hook says may repeat what it was given. */
static void add_clean_text(cJSON *result, const char *text, const struct job *job)
{
    AUTO_BUF struct buf clean = BUF_INIT(2 * PUSH_TEXT_MAX);
    struct redact *redact = redact_new();

    if (!redact)
        return;
    redact_add_secret(redact, buf_text(&job->password));
    /* A URL with a user alone has its token there. */
    if (!job->password.len)
        redact_add_secret(redact, buf_text(&job->username));
    redact_text(redact, text, strlen(text), &clean);
    redact_free(redact);
    json_put(result, "error", cJSON_CreateString(buf_text(&clean)));
}

static void emit_success(const struct push_outcome *outcome, const char *git_for)
{
    cJSON *result = worker_result_new(NULL);

    if (!git_for)
        json_add_bool(result, "up_to_date", outcome->up_to_date);
    if (outcome->commit[0])
        json_add_string(result, "commit", outcome->commit);
    json_add_string(result, "git_for", git_for);
    worker_emit(WORKER_OUTPUT_FD, result);
}

static void emit_failure(const struct job *job, const struct push_outcome *outcome,
                         const char *git_for, const struct err *err)
{
    cJSON *result = worker_result_new(err);
    bool has_text = outcome->text.len && !buf_failed(&outcome->text);

    add_clean_text(result, has_text ? buf_text(&outcome->text) : err->text, job);
    json_add_bool(result, "rejected", outcome->rejected);
    json_add_string(result, "git_for", git_for);
    worker_emit(WORKER_OUTPUT_FD, result);
}

static void wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf_free(buf);
}

/* libgit2 is quicker and needs no git in the sandbox; the git program does what libgit2 cannot. */
static int push(const struct job *job, struct buf *why, struct push_outcome *outcome,
                struct err *err)
{
    int code;

    if (!push_needs_program(job->path, why)) {
        buf_reset(why);
        return push_reference(&job->access, job->path, job->refspec, job->force, outcome, err);
    }
    code = push_by_program(&job->access, job->path, job->refspec, job->force, outcome, err);
    if (code < 0 && err->sys == ENOENT) {
        err_add_context(err, "this push needs the git program, for %s", buf_text(why));
        buf_reset(&outcome->text);
    }
    return code;
}

int push_worker_main(void)
{
    struct job job = {
        .url = BUF_INIT(URL_MAX), .username = BUF_INIT(URL_MAX), .password = BUF_INIT(URL_MAX)};
    struct push_outcome outcome = {.text = BUF_INIT(PUSH_TEXT_MAX)};
    AUTO_BUF struct buf why = BUF_INIT(WHY_MAX);
    const char *git_for;
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    int code = -1;

    if (input && read_job(input, &job, &err) == 0)
        code = push(&job, &why, &outcome, &err);
    git_for = why.len ? buf_text(&why) : NULL;
    if (code == 0)
        emit_success(&outcome, git_for);
    else
        emit_failure(&job, &outcome, git_for, &err);
    push_outcome_free(&outcome);
    wipe(&job.url);
    wipe(&job.username);
    wipe(&job.password);
    library_stop();
    return code == 0 ? 0 : 1;
}
