/*
 * What OpenCode asks, a permission or a question, is refused: nobody is there to answer (D-23), and a
 * turn that waits for an answer waits for ever, with heartbeats that keep the event stream alive. So a
 * refusal that OpenCode does not take is tried again, and after some tries the prompt fails. What was
 * asked while nobody listened is listed, in the same way.
 */
#include "bridge/prompt/prompt_run_private.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_OK 200
#define STATUS_OK_LAST 299
#define STATUS_NOT_FOUND 404

#define TRIES_MAX 5 /* the waits between them double */
#define AGAIN_MS 200
#define ASKS_MAX 64 /* at the same time */
#define REASON_MAX (ERR_TEXT_MAX + 32)
#define FAILURE_TEXT_MAX (REASON_MAX + 128)

struct prompt_ask {
    struct prompt_ask *next;
    struct prompt_run *run;
    struct http_request *request;
    enum translator_ask_kind kind;
    unsigned tries;
    uint64_t at_ms; /* the next try, when none is under way */
    char id[];
};

static const char *const kind_names[] = {
    [TRANSLATOR_ASK_PERMISSION] = "permission",
    [TRANSLATOR_ASK_QUESTION] = "question",
};

static void say_why(const struct http_response *response, const struct err *err, char *into)
{
    if (response && response->status != STATUS_OK)
        snprintf(into, REASON_MAX, "status %d", response->status);
    else if (response)
        snprintf(into, REASON_MAX, "the answer is no list");
    else
        snprintf(into, REASON_MAX, "%s", err->text);
}

static void log_failure(struct prompt_run *run, enum translator_ask_kind kind, const char *id,
                        unsigned tries, const char *why)
{
    log_at(run->options.log, LOG_WARNING, "bridge.ask_reject_failed", LOG_STR("ask_id", id),
           LOG_STR("kind", kind_names[kind]), LOG_NUM("tries", tries), LOG_STR("error", why));
}

static void fail(struct prompt_run *run, enum translator_ask_kind kind, const char *why)
{
    char text[FAILURE_TEXT_MAX];

    if (!translator_is_listening(run->translator))
        return; /* its end is under way */
    snprintf(text, sizeof text,
             "OpenCode may wait for an answer to a %s, and it could not be refused: %s",
             kind_names[kind], why);
    if (!run->aborted)
        prompt_abort_send(run, "ask_reject_failed", false);
    translator_fail(run->translator, text, prompt_run_now(run), &run->sink);
    prompt_run_follow_up(run);
}

static uint64_t next_try(const struct prompt_run *run, unsigned tries)
{
    return prompt_run_now(run) + ((uint64_t)AGAIN_MS << (tries - 1));
}

/* ---- one refusal ---- */

static void take_out(struct prompt_ask *ask)
{
    struct prompt_ask **link = &ask->run->asks.first;

    while (*link != ask)
        link = &(*link)->next;
    *link = ask->next;
    ask->run->asks.count--;
    free(ask);
}

static void on_rejected(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_ask *ask = user;
    struct prompt_run *run = ask->run;
    char why[REASON_MAX];

    ask->request = NULL;
    /* 404: it waits no more. One refusal answers all that its session asked. */
    if (response && ((response->status >= STATUS_OK && response->status <= STATUS_OK_LAST) ||
                     response->status == STATUS_NOT_FOUND)) {
        take_out(ask);
        if (run->asks.are_more)
            prompt_asks_list(run);
        return;
    }
    say_why(response, err, why);
    log_failure(run, ask->kind, ask->id, ask->tries, why);
    if (ask->tries < TRIES_MAX) {
        ask->at_ms = next_try(run, ask->tries);
        prompt_run_set_step(run, run->step);
    } else {
        ask->at_ms = UINT64_MAX;
        fail(run, ask->kind, why); /* `ask` goes with the prompt */
    }
}

static void reject(struct prompt_ask *ask)
{
    struct opencode_api *api = ask->run->options.api;
    struct err err = {0};

    ask->tries++;
    if (ask->kind == TRANSLATOR_ASK_PERMISSION)
        ask->request = opencode_reject_permission(api, ask->id, on_rejected, ask, &err);
    else
        ask->request = opencode_reject_question(api, ask->id, on_rejected, ask, &err);
    if (!ask->request)
        on_rejected(ask, NULL, &err);
}

static bool is_known(const struct prompt_run *run, const char *id)
{
    const struct prompt_ask *ask = run->asks.first;

    while (ask && strcmp(ask->id, id) != 0)
        ask = ask->next;
    return ask != NULL;
}

void prompt_asks_reject(struct prompt_run *run, enum translator_ask_kind kind, const char *id)
{
    size_t size = strlen(id) + 1;
    struct prompt_ask *ask;

    if (is_known(run, id))
        return;
    ask = run->asks.count < ASKS_MAX ? calloc(1, sizeof *ask + size) : NULL;
    if (!ask) {
        run->asks.are_more = true; /* found in the list, when there is room */
        return;
    }
    ask->run = run;
    ask->kind = kind;
    memcpy(ask->id, id, size);
    ask->next = run->asks.first;
    run->asks.first = ask;
    run->asks.count++;
    reject(ask);
}

/* ---- what waits for an answer ---- */

static void list(struct prompt_run *run);

static bool feed_asked(struct prompt_run *run, enum translator_ask_kind kind,
                       struct http_response *response)
{
    static const char *const types[] = {
        [TRANSLATOR_ASK_PERMISSION] = "permission.asked",
        [TRANSLATOR_ASK_QUESTION] = "question.asked",
    };
    AUTO_JSON cJSON *asked = NULL;
    cJSON *ask;

    if (!response || response->status != STATUS_OK || !response->body.data)
        return false;
    asked = json_parse_in_place(response->body.data, response->body.len, NULL);
    if (!cJSON_IsArray(asked))
        return false;
    while ((ask = cJSON_DetachItemFromArray(asked, 0))) {
        AUTO_JSON cJSON *event = cJSON_CreateObject();

        json_add_string(event, "type", types[kind]);
        json_put(event, "properties", ask);
        translator_feed(run->translator, event, 0, prompt_run_now(run), &run->sink);
    }
    return true;
}

static void on_list(void *user, struct http_response *response, const struct err *err)
{
    struct prompt_run *run = user;
    struct prompt_asks *asks = &run->asks;
    char why[REASON_MAX];

    asks->list = NULL;
    if (feed_asked(run, asks->list_kind, response)) {
        asks->list_tries = 0;
        if (asks->list_kind == TRANSLATOR_ASK_PERMISSION) {
            asks->list_kind = TRANSLATOR_ASK_QUESTION;
            list(run);
        }
        return;
    }
    say_why(response, err, why);
    log_failure(run, asks->list_kind, "", asks->list_tries, why);
    if (asks->list_tries >= TRIES_MAX) {
        fail(run, asks->list_kind, why);
        return;
    }
    asks->list_at_ms = next_try(run, asks->list_tries);
    prompt_run_set_step(run, run->step);
}

static void list(struct prompt_run *run)
{
    struct prompt_asks *asks = &run->asks;
    struct err err = {0};

    asks->list_at_ms = UINT64_MAX;
    asks->list_tries++;
    asks->list = asks->list_kind == TRANSLATOR_ASK_PERMISSION
                     ? opencode_get_permissions(run->options.api, on_list, run, &err)
                     : opencode_get_questions(run->options.api, on_list, run, &err);
    if (!asks->list)
        on_list(run, NULL, &err);
}

void prompt_asks_list(struct prompt_run *run)
{
    http_request_cancel(run->asks.list);
    run->asks.are_more = false;
    run->asks.list_kind = TRANSLATOR_ASK_PERMISSION;
    run->asks.list_tries = 0;
    list(run);
}

/* ---- clocks ---- */

uint64_t prompt_asks_deadline(const struct prompt_run *run)
{
    uint64_t deadline = run->asks.list ? UINT64_MAX : run->asks.list_at_ms;

    for (const struct prompt_ask *ask = run->asks.first; ask; ask = ask->next)
        if (!ask->request && ask->at_ms < deadline)
            deadline = ask->at_ms;
    return deadline;
}

void prompt_asks_tick(struct prompt_run *run, uint64_t now)
{
    struct prompt_ask *ask;

    if (!run->asks.list && run->asks.list_at_ms <= now)
        list(run);
    /* From the start after each: one that fails may end the prompt, and all of them with it. */
    do {
        ask = run->asks.first;
        while (ask && (ask->request || ask->at_ms > now))
            ask = ask->next;
        if (ask)
            reject(ask);
    } while (ask);
}

void prompt_asks_drop(struct prompt_run *run)
{
    struct prompt_ask *ask;

    while ((ask = run->asks.first)) {
        http_request_cancel(ask->request);
        take_out(ask);
    }
    http_request_cancel(run->asks.list);
    run->asks.list = NULL;
    run->asks.list_at_ms = UINT64_MAX;
    run->asks.are_more = false;
}
