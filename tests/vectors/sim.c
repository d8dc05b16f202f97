#include "common/json.h"
#include "tests/vectors/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_START_MS 1000000u
#define SIM_WALL_MS 1754000000000u
#define SIM_PATH_MAX 512
#define SIM_ALARMS_MAX 100

static void on_event(void *user, cJSON *event)
{
    struct sim *sim = user;

    cJSON_AddItemToArray(sim->events, event);
}

static void on_ask(void *user, enum translator_ask_kind kind, const char *id)
{
    struct sim *sim = user;
    char text[SIM_PATH_MAX];

    snprintf(text, sizeof(text), "ask %s %s",
             kind == TRANSLATOR_ASK_PERMISSION ? "permission" : "question", id);
    cJSON_AddItemToArray(sim->asks, cJSON_CreateString(text));
}

static void note_idle(struct sim *sim, const cJSON *event)
{
    const cJSON *properties = json_get_object(event, "properties");
    const char *type = json_get_string(event, "type");
    const char *session = json_get_string(properties, "sessionID");
    const char *status = json_get_string(json_get_object(properties, "status"), "type");

    if (!type || !session || strcmp(session, sim->session) != 0)
        return;
    if (strcmp(type, "session.idle") == 0)
        sim->is_idle = true;
    else if (strcmp(type, "session.status") == 0 && status)
        sim->is_idle = strcmp(status, "idle") == 0;
}

static void on_data(void *user, char *data, size_t len)
{
    struct sim *sim = user;
    AUTO_JSON cJSON *event = json_parse_in_place(data, len, NULL);

    if (!event)
        return;
    note_idle(sim, event);
    translator_feed(sim->translator, event, len, sim->now, &sim->sink);
}

void sim_init(struct sim *sim, const struct translator_limits *limits, const char *session)
{
    struct translator_limits every_token = TRANSLATOR_DEFAULT_LIMITS;

    every_token.token_interval_ms = 0;
    *sim = (struct sim){
        .translator = translator_new(limits ? limits : &every_token),
        .sink = {.user = sim, .on_event = on_event, .on_ask = on_ask},
        .now = SIM_START_MS,
        .wall_ms = SIM_WALL_MS,
        .events = cJSON_CreateArray(),
        .requests = cJSON_CreateArray(),
        .asks = cJSON_CreateArray(),
        .session = session,
    };
    sse_parser_init(&sim->parser, SSE_PARSER_DEFAULT_MAX_BYTES, on_data, sim);
    translator_set_session(sim->translator, session);
}

void sim_free(struct sim *sim)
{
    translator_free(sim->translator);
    sse_parser_free(&sim->parser);
    cJSON_Delete(sim->events);
    cJSON_Delete(sim->requests);
    cJSON_Delete(sim->asks);
}

void sim_request(struct sim *sim, const char *method, const char *path)
{
    char text[SIM_PATH_MAX];

    snprintf(text, sizeof(text), "%s %s", method, path);
    cJSON_AddItemToArray(sim->requests, cJSON_CreateString(text));
}

static void request_of_session(struct sim *sim, const char *method, const char *what)
{
    char path[SIM_PATH_MAX];

    snprintf(path, sizeof(path), "/session/%s/%s", sim->session, what);
    sim_request(sim, method, path);
}

/* Not among the requests: the bridge that the vectors were recorded with never asked. */
static void answer_status(struct sim *sim)
{
    AUTO_JSON cJSON *status = cJSON_CreateObject();
    cJSON *busy = cJSON_CreateObject();

    json_add_string(busy, "type", "busy");
    if (sim->is_idle)
        cJSON_Delete(busy);
    else
        json_put(status, sim->session, busy);
    translator_see_status(sim->translator, status, sim->now, &sim->sink);
}

void sim_serve(struct sim *sim)
{
    struct translator_wants wants = translator_take_wants(sim->translator);

    if (wants.status) {
        answer_status(sim);
        wants = translator_take_wants(sim->translator);
    }
    if (wants.abort_reason) {
        request_of_session(sim, "POST", "abort");
        if (sim->abort_hangs)
            return;
    }
    if (wants.fetch) {
        request_of_session(sim, "GET", "message");
        translator_repair(sim->translator, sim->messages, sim->now, &sim->sink);
    }
}

void sim_bytes(struct sim *sim, const char *bytes, size_t len)
{
    translator_heard(sim->translator, sim->now);
    sse_parser_feed(&sim->parser, bytes, len);
    sim_serve(sim);
}

void sim_event(struct sim *sim, const cJSON *event)
{
    char *text = json_to_string(event);

    if (!text)
        return;
    sim_bytes(sim, "data: ", 6);
    sim_bytes(sim, text, strlen(text));
    sim_bytes(sim, "\n\n", 2);
    free(text);
}

void sim_advance(struct sim *sim, uint64_t ms)
{
    uint64_t until = sim->now + ms;

    while (translator_deadline(sim->translator) <= until) {
        sim->now = translator_deadline(sim->translator);
        translator_tick(sim->translator, sim->now, &sim->sink);
        sim_serve(sim);
    }
    sim->now = until;
}

bool sim_run_out(struct sim *sim)
{
    for (int alarms = 0; alarms < SIM_ALARMS_MAX; alarms++) {
        uint64_t deadline = translator_deadline(sim->translator);

        if (translator_is_done(sim->translator))
            return true;
        if (deadline == UINT64_MAX)
            return false;
        sim_advance(sim, deadline > sim->now ? deadline - sim->now : 0);
    }
    return translator_is_done(sim->translator);
}
