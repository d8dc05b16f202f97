#include "supervisor/skills/skills_fetch.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/url.h"
#include "net/http_request.h"

#include <string.h>

#define PAGE_SKILLS 50
#define ANSWER_MAX ((size_t)32 * 1024 * 1024)
#define REQUEST_LIMIT_MS (15 * 1000) /* S-163 */
#define ATTEMPTS 3
#define FIRST_PAUSE_MS 250 /* doubled each time */
#define URL_MAX (64 * 1024)
#define AUTHORIZATION_MAX (16 * 1024)

struct request {
    uv_loop_t loop;
    struct net_context *context;
    int status; /* 0: no answer */
    struct buf body;
    struct err err;
};

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct request *request = user;

    if (response) {
        request->status = response->status;
        request->body = response->body;
        response->body = BUF_INIT(0);
    } else {
        request->err = *err;
    }
    net_context_close(request->context, NULL, NULL);
}

static void try_once(struct request *request, const char *url, const char *token, uint64_t limit_ms)
{
    AUTO_SECRET_BUF struct buf authorization = BUF_INIT(AUTHORIZATION_MAX);
    struct net_header header = {"Authorization", NULL};
    struct http_request_options options = {
        .method = "GET",
        .url = url,
        .headers = &header,
        .header_count = 1,
        .max_body = ANSWER_MAX,
        .total_limit_ms = limit_ms,
    };

    request->status = 0;
    err_clear(&request->err);
    buf_free(&request->body);
    buf_printf(&authorization, "Bearer %s", token);
    header.value = buf_text(&authorization);
    request->context = net_context_new(&request->loop, &request->err);
    if (request->context &&
        !http_request_start(request->context, &options, on_done, request, &request->err))
        net_context_close(request->context, NULL, NULL);
    uv_run(&request->loop, UV_RUN_DEFAULT);
}

static bool may_retry(const struct request *request)
{
    if (request->status == 0)
        return request->err.class != ERR_LIMIT;
    return request->status == 408 || request->status == 429 || request->status >= 500;
}

/* -1 when there was no answer at last. */
static int get(struct request *request, const char *url, const char *token, uint64_t until_ms)
{
    uint64_t pause_ms = FIRST_PAUSE_MS;

    for (unsigned attempt = 1;; attempt++, pause_ms *= 2) {
        uint64_t now_ms = clock_monotonic_ms();
        uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 1;

        try_once(request, url, token, left_ms < REQUEST_LIMIT_MS ? left_ms : REQUEST_LIMIT_MS);
        if (attempt == ATTEMPTS || !may_retry(request) ||
            clock_monotonic_ms() + pause_ms >= until_ms)
            return request->status == 0 ? -1 : 0;
        uv_sleep((unsigned)pause_ms); /* this process has nothing else to do */
    }
}

static enum skill_fault stage(struct skills_fetch *fetch, const struct skill_store *store,
                              cJSON *page, const char **cursor, struct err *err)
{
    enum skill_fault fault = skill_page_check(page, &fetch->pages, cursor, err);
    const cJSON *skill;

    if (fault != SKILL_FAULT_NONE)
        return fault;
    cJSON_ArrayForEach(skill, json_get_array(page, "skills")) {
        if (skill_store_add(store, skill, err) != 0)
            return err->class == ERR_PROTOCOL ? SKILL_FAULT_INVALID : SKILL_FAULT_INSTALL;
    }
    return SKILL_FAULT_NONE;
}

/* `cursor`: of this page ("" for the first); becomes that of the next, "" after the last. */
static enum skill_fault fetch_page(struct skills_fetch *fetch, const struct skill_store *store,
                                   struct request *request, struct buf *cursor, uint64_t until_ms,
                                   struct err *err)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX);
    AUTO_JSON cJSON *page = NULL;
    bool first = cursor->len == 0;
    const char *next = NULL;
    enum skill_fault fault;

    buf_printf(&url, "%s?limit=%d", fetch->url, PAGE_SKILLS);
    if (!first) {
        buf_puts(&url, "&cursor=");
        url_encode(buf_text(cursor), &url);
    }
    if (get(request, buf_text(&url), fetch->token, until_ms) != 0) {
        *err = request->err;
        return err->class == ERR_LIMIT ? SKILL_FAULT_TOO_LARGE : SKILL_FAULT_FETCH;
    }
    buf_reset(cursor);
    if (first && (request->status == 404 || request->status == 405)) {
        fetch->unsupported = request->status;
        return SKILL_FAULT_NONE;
    }
    if (request->status < 200 || request->status > 299) {
        err_set(err, ERR_NETWORK, "the control plane answered HTTP %d", request->status);
        return SKILL_FAULT_FETCH;
    }
    page = json_parse(buf_text(&request->body), request->body.len, err);
    fault = page ? stage(fetch, store, page, &next, err) : SKILL_FAULT_INVALID;
    buf_puts(cursor, next ? next : "");
    return fault;
}

enum skill_fault skills_fetch_run(struct skills_fetch *fetch, const struct skill_store *store,
                                  struct err *err)
{
    AUTO_BUF struct buf cursor = BUF_INIT(URL_MAX);
    uint64_t until_ms = clock_monotonic_ms() + fetch->limit_ms;
    struct request request = {0};
    enum skill_fault fault;

    uv_loop_init(&request.loop);
    do
        fault = fetch_page(fetch, store, &request, &cursor, until_ms, err);
    while (fault == SKILL_FAULT_NONE && cursor.len > 0);
    buf_free(&request.body);
    uv_loop_close(&request.loop);
    return fault;
}
