#include "bridge/opencode/opencode_session.h"

#include "common/file.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define ID_MAX_BYTES 1024
#define FILE_MODE 0644
#define LOOKUP_RETRY_MS 200
/* A question that came too early may never be answered (opencode.md 2). */
#define LOOKUP_TRY_MS 2000
#define BLANKS " \t\r\n\f\v"

#define STATUS_NOT_FOUND 404

struct opencode_session {
    uv_timer_t retry;
    struct opencode_session_options options;
    char *path;
    char *id; /* NULL: none */
    bool settled;
    uint64_t lookup_until_ms; /* 0: not begun */
    struct http_request *lookup;
    struct http_request *creation;
    opencode_session_fn *on_created;
    void *created_user;
};

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static void read_file(struct opencode_session *session)
{
    AUTO_BUF struct buf text = BUF_INIT(ID_MAX_BYTES);
    struct err err = {0};
    char *start;
    size_t len;

    if (file_read(session->path, &text, &err) != 0) {
        if (err.class != ERR_NOT_FOUND)
            log_at(session->options.log, LOG_ERROR, "opencode.session.load_error", LOG_ERR(&err));
        return;
    }
    if (text.len == 0)
        return;
    start = text.data + strspn(text.data, BLANKS);
    len = strcspn(start, BLANKS);
    start[len] = '\0';
    if (len > 0)
        session->id = strdup(start);
}

struct opencode_session *opencode_session_new(const struct opencode_session_options *options)
{
    struct opencode_session *session = calloc(1, sizeof *session);

    if (!session)
        return NULL;
    session->options = *options;
    session->path = strdup(options->path);
    if (!session->path) {
        free(session);
        return NULL;
    }
    uv_timer_init(options->loop, &session->retry);
    session->retry.data = session;
    read_file(session);
    session->settled = !session->id;
    if (session->id)
        log_at(options->log, LOG_INFO, "opencode.session.ensure",
               LOG_STR("opencode_session_id", session->id), LOG_STR("action", "loaded"));
    return session;
}

bool opencode_session_is_settled(const struct opencode_session *session)
{
    return session->settled;
}

const char *opencode_session_id(const struct opencode_session *session)
{
    return session->id;
}

static void settle(struct opencode_session *session)
{
    session->settled = true;
    session->options.on_settled(session->options.user);
}

static void look_up(struct opencode_session *session);

static void on_retry(uv_timer_t *timer)
{
    look_up(timer->data);
}

static void on_looked_up(void *user, struct http_response *response, const struct err *err)
{
    struct opencode_session *session = user;

    session->lookup = NULL;
    if (response && response->status == STATUS_NOT_FOUND) {
        log_at(session->options.log, LOG_INFO, "opencode.session.invalid",
               LOG_STR("opencode_session_id", session->id));
        opencode_session_forget(session);
        settle(session);
        return;
    }
    if (response && is_success(response->status)) {
        settle(session);
        return;
    }
    /* No proof that it is gone (D-29): ask again, and when the time is over go on with it. */
    if (uv_now(session->options.loop) < session->lookup_until_ms) {
        uv_timer_start(&session->retry, on_retry, LOOKUP_RETRY_MS, 0);
        return;
    }
    log_at(session->options.log, LOG_WARNING, "opencode.session.lookup_failed",
           LOG_STR("opencode_session_id", session->id),
           LOG_STR("error_message", err ? err->text : "OpenCode answered with an error"));
    settle(session);
}

static void look_up(struct opencode_session *session)
{
    uint64_t now = uv_now(session->options.loop), left = LOOKUP_TRY_MS;
    struct err err = {0};

    if (session->lookup_until_ms > now && session->lookup_until_ms - now < left)
        left = session->lookup_until_ms - now;
    session->lookup =
        opencode_get_session(session->options.api, session->id, left, on_looked_up, session, &err);
    if (!session->lookup)
        on_looked_up(session, NULL, &err);
}

void opencode_session_check(struct opencode_session *session)
{
    if (session->settled || session->lookup_until_ms > 0)
        return;
    session->lookup_until_ms = uv_now(session->options.loop) + session->options.lookup_limit_ms;
    look_up(session);
}

static void save(struct opencode_session *session)
{
    struct err err = {0};

    if (file_write_atomic(session->path, session->id, strlen(session->id), FILE_MODE, false,
                          &err) != 0)
        log_at(session->options.log, LOG_ERROR, "opencode.session.save_error", LOG_ERR(&err));
}

static void report(struct opencode_session *session, const struct err *err)
{
    session->on_created(session->created_user, err ? NULL : session->id, err);
}

static void on_created(void *user, struct http_response *response, const struct err *err)
{
    struct opencode_session *session = user;
    struct err why = {0};
    AUTO_JSON cJSON *answer = NULL;

    session->creation = NULL;
    if (!response) {
        err_set(&why, err->class, "creating the OpenCode session failed: %s", err->text);
        report(session, &why);
        return;
    }
    if (!is_success(response->status)) {
        err_set(&why, ERR_PROTOCOL, "creating the OpenCode session failed: %d - %s",
                response->status, buf_text(&response->body));
        report(session, &why);
        return;
    }
    answer = json_parse(buf_text(&response->body), response->body.len, NULL);
    if (!json_get_nonempty(answer, "id")) {
        err_set(&why, ERR_PROTOCOL, "OpenCode session not initialized");
        report(session, &why);
        return;
    }
    session->id = strdup(json_get_string(answer, "id"));
    if (!session->id) {
        err_set(&why, ERR_NO_MEMORY, "out of memory");
        report(session, &why);
        return;
    }
    log_at(session->options.log, LOG_INFO, "opencode.session.ensure",
           LOG_STR("opencode_session_id", session->id), LOG_STR("action", "created"));
    save(session);
    report(session, NULL);
}

void opencode_session_create(struct opencode_session *session, opencode_session_fn *on_done,
                             void *user)
{
    struct err err = {0};

    session->on_created = on_done;
    session->created_user = user;
    session->creation = opencode_create_session(session->options.api, on_created, session, &err);
    if (!session->creation)
        on_created(session, NULL, &err);
}

void opencode_session_cancel_create(struct opencode_session *session)
{
    http_request_cancel(session->creation);
    session->creation = NULL;
}

void opencode_session_forget(struct opencode_session *session)
{
    free(session->id);
    session->id = NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct opencode_session *session = handle->data;

    free(session->path);
    free(session->id);
    free(session);
}

void opencode_session_close(struct opencode_session *session)
{
    if (!session)
        return;
    http_request_cancel(session->lookup);
    http_request_cancel(session->creation);
    session->lookup = NULL;
    session->creation = NULL;
    uv_close((uv_handle_t *)&session->retry, on_closed);
}
