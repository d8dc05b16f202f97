#include "common/json.h"
#include "common/url.h"
#include "common/worker.h"
#include "net/event_stream.h"
#include "net/http_request.h"
#include "supervisor/opencode/opencode_address.h"
#include "supervisor/opencode/warm_up.h"

#include <limits.h>
#include <string.h>

#define URL_MAX_BYTES 512
#define HEADERS_MAX 3

/* Without a title, so that finding one, which the first prompt has done too, is warm as well. */
static const char session_body[] = "{}";
static const char prompt_body[] =
    "{\"model\":{\"providerID\":\"" WARM_UP_PROVIDER "\",\"modelID\":\"" WARM_UP_MODEL "\"},"
    "\"parts\":[{\"type\":\"text\",\"text\":\"warm-up\"}]}";

/* One after another; each ends with the next one's beginning. */
enum step { STEP_STREAM, STEP_SESSION, STEP_PROMPT, STEP_ANSWER, STEP_ABORT, STEP_DELETE };

struct work {
    uv_loop_t loop;
    uv_timer_t limit;
    struct net_context *net;
    struct event_stream *stream;
    struct http_request *request;
    struct buf base; /* "http://127.0.0.1:4096" */
    struct buf directory;
    struct buf authorization;
    struct net_header headers[HEADERS_MAX];
    size_t header_count;
    enum step step;
    char session[64];
    struct err err; /* of the first failure */
};

static void finish(struct work *work)
{
    http_request_cancel(work->request);
    event_stream_free(work->stream);
    work->stream = NULL;
    uv_timer_stop(&work->limit);
    uv_close((uv_handle_t *)&work->limit, NULL);
    net_context_close(work->net, NULL, NULL);
}

static void call(struct work *work, const char *method, const char *after, const char *body);

static void enter(struct work *work, enum step step)
{
    work->step = step;
    switch (step) {
    case STEP_SESSION:
        call(work, "POST", NULL, session_body);
        break;
    case STEP_PROMPT:
        call(work, "POST", "/prompt_async", prompt_body);
        break;
    case STEP_ABORT:
        call(work, "POST", "/abort", "{}");
        break;
    case STEP_DELETE:
        call(work, "DELETE", "", NULL);
        break;
    default:
        break;
    }
}

/* What was begun is removed again; the first failure is the one that is told. */
static void fail(struct work *work, const struct err *err)
{
    if (work->err.class == ERR_NONE)
        work->err = *err;
    if (work->step < STEP_ABORT && work->session[0])
        enter(work, STEP_ABORT);
    else
        finish(work);
}

static void take_session(struct work *work, struct http_response *response)
{
    AUTO_JSON cJSON *created = json_parse(buf_text(&response->body), response->body.len, NULL);
    const char *id = json_get_nonempty(created, "id");
    struct err err;

    if (id && strlen(id) < sizeof work->session) {
        strcpy(work->session, id);
        enter(work, STEP_PROMPT);
        return;
    }
    err_set(&err, ERR_PROTOCOL, "POST /session: HTTP %d and no session", response->status);
    fail(work, &err);
}

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct work *work = user;
    struct err refused;

    work->request = NULL;
    if (!response) {
        fail(work, err);
    } else if (work->step == STEP_SESSION) {
        take_session(work, response);
    } else if (work->step == STEP_PROMPT && response->status >= 300) {
        err_set(&refused, ERR_PROTOCOL, "POST prompt_async: HTTP %d", response->status);
        fail(work, &refused);
    } else if (work->step == STEP_ABORT) {
        enter(work, STEP_DELETE);
    } else if (work->step == STEP_DELETE) {
        finish(work);
    }
}

static void call(struct work *work, const char *method, const char *after, const char *body)
{
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);
    struct http_request_options options = {
        .method = method,
        .headers = work->headers,
        .header_count = work->header_count,
        .body = body,
        .body_len = body ? strlen(body) : 0,
        .cut_body = true,
    };
    struct err err;

    http_request_cancel(work->request);
    buf_printf(&url, "%s/session", buf_text(&work->base));
    if (after) {
        buf_putc(&url, '/');
        url_encode(work->session, &url);
        buf_puts(&url, after);
    }
    options.url = buf_text(&url);
    work->request = http_request_start(work->net, &options, on_done, work, &err);
    if (!work->request)
        fail(work, &err);
}

/* From here on no event is missed, and the instance is there: the stream belongs to it. */
static void on_stream_open(void *user)
{
    enter(user, STEP_SESSION);
}

/* The refused connection shows as a retry; the other two mean that the provider was not even asked,
 * or answered. In each case the way to it is warm. */
static void on_event(void *user, char *data, size_t len)
{
    struct work *work = user;
    AUTO_JSON cJSON *event = json_parse_in_place(data, len, NULL);
    const cJSON *properties = json_get_object(event, "properties");
    const char *type = json_get_string(event, "type");
    const char *session = json_get_string(properties, "sessionID");
    const char *status = json_get_string(json_get_object(properties, "status"), "type");
    bool over;

    if (!type || !session || strcmp(session, work->session) != 0 || work->step >= STEP_ABORT)
        return;
    over = strcmp(type, "session.error") == 0 || strcmp(type, "session.idle") == 0 ||
           (status && strcmp(status, "retry") == 0);
    if (over)
        enter(work, STEP_ABORT);
}

static void on_stream_end(void *user, int status, const struct err *err)
{
    struct work *work = user;
    struct err refused = *err;

    event_stream_free(work->stream);
    work->stream = NULL;
    if (status)
        err_set(&refused, ERR_PROTOCOL, "GET /event: HTTP %d", status);
    if (work->step < STEP_ABORT)
        fail(work, &refused);
}

static void on_limit(uv_timer_t *timer)
{
    struct work *work = timer->data;
    struct err err;

    err_set(&err, ERR_TIMEOUT, "not done in time");
    fail(work, &err);
}

static void add_header(struct work *work, const char *name, const struct buf *value)
{
    if (value->len > 0)
        work->headers[work->header_count++] = (struct net_header){name, buf_text(value)};
}

static int start(struct work *work, const cJSON *input, struct err *err)
{
    static const struct event_stream_handlers handlers = {
        .on_open = on_stream_open, .on_event = on_event, .on_end = on_stream_end};
    AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);
    struct event_stream_options options = {.headers = work->headers};
    const char *host = json_get_nonempty(input, "host");
    const char *directory = json_get_nonempty(input, "directory");
    const char *password = json_get_string(input, "password");
    double port = 0, limit_ms = 0;

    if (!host || !directory || !json_get_number(input, "port", &port) ||
        !json_get_number(input, "limit_ms", &limit_ms))
        return err_set(err, ERR_INTERNAL, WARM_UP_WORKER ": input without host or directory");
    buf_printf(&work->base, strchr(host, ':') ? "http://[%s]:%d" : "http://%s:%d", host, (int)port);
    url_encode(directory, &work->directory);
    if (password)
        opencode_address_authorization(json_get_string(input, "username"), password,
                                       &work->authorization);
    buf_printf(&url, "%s/event", buf_text(&work->base));
    work->headers[work->header_count++] = (struct net_header){"Content-Type", "application/json"};
    add_header(work, "x-opencode-directory", &work->directory);
    add_header(work, "Authorization", &work->authorization);
    options.url = buf_text(&url);
    options.header_count = work->header_count;
    work->net = net_context_new(&work->loop, err);
    if (!work->net)
        return -1;
    work->stream = event_stream_open(work->net, &options, &handlers, work, err);
    if (!work->stream) {
        net_context_close(work->net, NULL, NULL);
        return -1;
    }
    uv_timer_init(&work->loop, &work->limit);
    work->limit.data = work;
    uv_timer_start(&work->limit, on_limit, (uint64_t)limit_ms, 0);
    return 0;
}

int warm_up_worker_main(void)
{
    struct work work = {.base = BUF_INIT(URL_MAX_BYTES),
                        .directory = BUF_INIT(3 * PATH_MAX),
                        .authorization = BUF_INIT(2 * OPENCODE_CREDENTIALS_MAX)};
    struct err err = {0};
    AUTO_SECRET_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    bool ok;

    uv_loop_init(&work.loop);
    if (input && start(&work, input, &err) == 0)
        err_clear(&err);
    uv_run(&work.loop, UV_RUN_DEFAULT);
    uv_loop_close(&work.loop);
    if (err.class == ERR_NONE)
        err = work.err;
    ok = err.class == ERR_NONE;
    buf_free(&work.base);
    buf_free(&work.directory);
    buf_free(&work.authorization);
    return worker_emit(WORKER_OUTPUT_FD, worker_result_new(ok ? NULL : &err)) == 0 && ok ? 0 : 1;
}
