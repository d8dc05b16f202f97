#include "bridge/opencode/opencode_api.h"

#include "common/base64.h"
#include "common/url.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "http://localhost" /* B-103: either loopback */
#define URL_MAX_BYTES 2048
#define CREDENTIALS_MAX_BYTES 1024

#define DIRECTORY_MAX_BYTES (3 * (size_t)PATH_MAX) /* percent-encoded */

enum { HEADER_COUNT_MAX = 3 };

struct opencode_api {
    struct net_context *net;
    char base[sizeof HOST + sizeof ":65535"];
    char events_url[sizeof HOST + sizeof ":65535/event"];
    char *authorization; /* or NULL */
    char *directory;     /* percent-encoded, or NULL */
    struct net_header headers[HEADER_COUNT_MAX];
    size_t header_count;
    uint64_t call_limit_ms;
    uint64_t fetch_limit_ms;
};

static char *basic_authorization(const char *username, const char *password)
{
    AUTO_BUF struct buf plain = BUF_INIT(CREDENTIALS_MAX_BYTES);
    AUTO_BUF struct buf header = BUF_INIT(2 * CREDENTIALS_MAX_BYTES);

    buf_printf(&plain, "%s:%s", username ? username : "opencode", password);
    buf_puts(&header, "Basic ");
    base64_encode(buf_text(&plain), plain.len, &header);
    return buf_take(&header);
}

static void set_headers(struct opencode_api *api)
{
    api->header_count = 0;
    api->headers[api->header_count++] = (struct net_header){"Content-Type", "application/json"};
    if (api->authorization)
        api->headers[api->header_count++] =
            (struct net_header){"Authorization", api->authorization};
    if (api->directory)
        api->headers[api->header_count++] =
            (struct net_header){"x-opencode-directory", api->directory};
}

struct opencode_api *opencode_api_new(const struct opencode_api_options *options)
{
    struct opencode_api *api = calloc(1, sizeof *api);

    if (!api)
        return NULL;
    api->net = options->net;
    api->call_limit_ms = options->call_limit_ms;
    api->fetch_limit_ms = options->fetch_limit_ms;
    snprintf(api->base, sizeof api->base, HOST ":%u", options->port);
    snprintf(api->events_url, sizeof api->events_url, "%s/event", api->base);
    if (options->password) {
        api->authorization = basic_authorization(options->username, options->password);
        if (!api->authorization) {
            free(api);
            return NULL;
        }
    }
    set_headers(api);
    return api;
}

int opencode_api_set_directory(struct opencode_api *api, const char *directory)
{
    AUTO_BUF struct buf encoded = BUF_INIT(DIRECTORY_MAX_BYTES);

    if (directory)
        url_encode(directory, &encoded);
    if (buf_failed(&encoded))
        return -1;
    free(api->directory);
    api->directory = directory ? buf_take(&encoded) : NULL;
    set_headers(api);
    return 0;
}

void opencode_api_free(struct opencode_api *api)
{
    if (!api)
        return;
    free(api->authorization);
    free(api->directory);
    free(api);
}

const char *opencode_api_events_url(const struct opencode_api *api)
{
    return api->events_url;
}

const struct net_header *opencode_api_headers(const struct opencode_api *api, size_t *count)
{
    *count = api->header_count;
    return api->headers;
}

/* One call: `path` is "<before><id percent-encoded><after>". */
struct call {
    const char *method;
    const char *before, *id, *after;
    const char *body;        /* or NULL */
    http_read_fn *read_body; /* in its place; or NULL */
    size_t body_len;
    size_t max_body;           /* of the answer, which is cut there */
    const char *answer_header; /* or NULL */
    uint64_t limit_ms;
};

static struct http_request *start(struct opencode_api *api, const struct call *call,
                                  http_done_fn *on_done, void *user, struct err *err)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);
    struct http_request_options options = {
        .method = call->method,
        .headers = api->headers,
        .header_count = api->header_count,
        .body = call->body,
        .read_body = call->read_body,
        .body_len = call->body_len,
        .max_body = call->max_body ? call->max_body : OPENCODE_ANSWER_MAX_BYTES,
        .total_limit_ms = call->limit_ms ? call->limit_ms : api->call_limit_ms,
        .cut_body = true,
        .answer_header = call->answer_header,
    };

    buf_puts(&url, api->base);
    buf_puts(&url, call->before);
    if (call->id)
        url_encode(call->id, &url);
    buf_puts(&url, call->after ? call->after : "");
    if (buf_failed(&url)) {
        err_set(err, ERR_LIMIT, "the address of the call to OpenCode is too long");
        return NULL;
    }
    options.url = buf_text(&url);
    return http_request_start(api->net, &options, on_done, user, err);
}

struct http_request *opencode_get_session(struct opencode_api *api, const char *session_id,
                                          uint64_t limit_ms, http_done_fn *on_done, void *user,
                                          struct err *err)
{
    struct call call = {
        .method = "GET", .before = "/session/", .id = session_id, .limit_ms = limit_ms};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_create_session(struct opencode_api *api, http_done_fn *on_done,
                                             void *user, struct err *err)
{
    struct call call = {.method = "POST", .before = "/session", .body = "{}", .body_len = 2};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_post_prompt(struct opencode_api *api, const char *session_id,
                                          http_read_fn *read_body, size_t len, size_t file_count,
                                          http_done_fn *on_done, void *user, struct err *err)
{
    struct call call = {.method = "POST",
                        .before = "/session/",
                        .id = session_id,
                        .after = "/prompt_async",
                        .read_body = read_body,
                        .body_len = len,
                        .limit_ms = api->call_limit_ms + file_count * OPENCODE_FILE_MS};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_abort(struct opencode_api *api, const char *session_id,
                                    http_done_fn *on_done, void *user, struct err *err)
{
    struct call call = {
        .method = "POST", .before = "/session/", .id = session_id, .after = "/abort"};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_get_messages(struct opencode_api *api, const char *session_id,
                                           const struct opencode_page *page, http_done_fn *on_done,
                                           void *user, struct err *err)
{
    AUTO_BUF struct buf after = BUF_INIT(URL_MAX_BYTES);
    struct call call = {.method = "GET",
                        .before = "/session/",
                        .id = session_id,
                        .max_body = page->max_body,
                        .answer_header = "x-next-cursor:",
                        .limit_ms = api->fetch_limit_ms};

    buf_printf(&after, "/message?limit=%u", page->limit);
    if (page->before[0] != '\0') {
        buf_puts(&after, "&before=");
        url_encode(page->before, &after);
    }
    call.after = buf_text(&after);
    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_get_status(struct opencode_api *api, http_done_fn *on_done,
                                         void *user, struct err *err)
{
    struct call call = {.method = "GET", .before = "/session/status"};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_get_permissions(struct opencode_api *api, http_done_fn *on_done,
                                              void *user, struct err *err)
{
    struct call call = {.method = "GET", .before = "/permission"};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_get_questions(struct opencode_api *api, http_done_fn *on_done,
                                            void *user, struct err *err)
{
    struct call call = {.method = "GET", .before = "/question"};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_reject_permission(struct opencode_api *api, const char *permission_id,
                                                http_done_fn *on_done, void *user, struct err *err)
{
    static const char body[] = "{\"reply\":\"reject\"}";
    struct call call = {.method = "POST",
                        .before = "/permission/",
                        .id = permission_id,
                        .after = "/reply",
                        .body = body,
                        .body_len = sizeof body - 1};

    return start(api, &call, on_done, user, err);
}

struct http_request *opencode_reject_question(struct opencode_api *api, const char *question_id,
                                              http_done_fn *on_done, void *user, struct err *err)
{
    struct call call = {
        .method = "POST", .before = "/question/", .id = question_id, .after = "/reject"};

    return start(api, &call, on_done, user, err);
}
