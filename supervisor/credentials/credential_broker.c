#include "supervisor/credentials/credential_broker.h"

#include "common/ascii.h"
#include "common/redact.h"
#include "common/wtf8.h"
#include "net/http_request.h"

#include <string.h>

#define AUTHORIZATION_MAX (16 * 1024)
#define QUOTED_CHARACTERS 200
#define HTTP_OK 200

struct question {
    const struct credential_source *source;
    struct net_context *context;
    struct buf *answer;
    bool answered;
    struct err err;
};

/* At most so many characters, and nothing that could steer a terminal. */
static void quote(const char *text, size_t len, struct buf *out)
{
    size_t at = 0;

    for (size_t characters = 0; at < len && characters < QUOTED_CHARACTERS; characters++) {
        uint32_t code;
        size_t step = wtf8_decode(text + at, len - at, &code);
        bool plain = step > 0 && !ascii_is_control(code);

        buf_append(out, plain ? text + at : " ", plain ? step : 1);
        at += step > 0 ? step : 1;
    }
}

static void tell_refusal(struct question *question, const struct http_response *response)
{
    AUTO_BUF struct buf shown = BUF_INIT(ERR_TEXT_MAX), clean = BUF_INIT(ERR_TEXT_MAX);
    struct redact *redact = redact_new();
    bool ours = response->status == 401 || response->status == 403;

    if (redact)
        redact_add_secret(redact, question->source->token);
    quote(buf_text(&response->body), response->body.len, &shown);
    redact_text(redact, buf_text(&shown), shown.len, &clean);
    redact_free(redact);
    err_set(&question->err, ours ? ERR_AUTH : ERR_NETWORK,
            "the control plane gave no git credentials (HTTP %d): %s", response->status,
            buf_text(&clean));
}

static void on_done(void *user, struct http_response *response, const struct err *err)
{
    struct question *question = user;

    if (!response) {
        question->err = *err;
        err_add_context(&question->err, "the control plane gave no git credentials");
    } else if (response->status != HTTP_OK) {
        tell_refusal(question, response);
    } else {
        buf_append(question->answer, response->body.data, response->body.len);
        question->answered = true;
    }
    net_context_close(question->context, NULL, NULL);
}

static void start(struct question *question, uv_loop_t *loop)
{
    AUTO_SECRET_BUF struct buf authorization = BUF_INIT(AUTHORIZATION_MAX);
    struct net_header header = {"Authorization", NULL};
    struct http_request_options options = {
        .method = "POST",
        .url = question->source->endpoint,
        .headers = &header,
        .header_count = 1,
        .max_body = CREDENTIAL_ANSWER_MAX,
        .total_limit_ms = CREDENTIAL_REQUEST_LIMIT_MS,
        .cut_body = true,
    };

    buf_printf(&authorization, "Bearer %s", question->source->token);
    header.value = buf_text(&authorization);
    question->context = net_context_new(loop, &question->err);
    if (!question->context)
        return;
    if (!http_request_start(question->context, &options, on_done, question, &question->err))
        net_context_close(question->context, NULL, NULL);
}

int credential_broker_ask(const struct credential_source *source, struct buf *answer,
                          struct err *err)
{
    struct question question = {.source = source, .answer = answer};
    uv_loop_t loop;
    int rc = uv_loop_init(&loop);

    if (rc != 0)
        return err_set_sys(err, -rc, "make an event loop");
    start(&question, &loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    if (question.answered && !buf_failed(answer))
        return 0;
    if (question.err.class == ERR_NONE)
        err_set(&question.err, ERR_NO_MEMORY, "out of memory");
    if (err)
        *err = question.err;
    return -1;
}
