#include "common/cleanup.h"
#include "common/json.h"
#include "tests/vectors/replay.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIFFERENCE_MAX ((size_t)64 * 1024)
#define SHOWN_EVENT_MAX 700
#define COMMAND_WAIT_MS 50

struct vector_run {
    struct sim sim;
    const cJSON *vector;
    const cJSON *queued_command; /* a second prompt, waiting for the first to end (D-16) */
    struct buf *printed;         /* NULL: do not print the results */
    cJSON *body;
    char user_id[SIM_MESSAGE_ID_MAX];
    int prompts;
    bool ended; /* the connection is gone: later steps cannot happen */
};

/* --- steps -------------------------------------------------------------------------------- */

static void run_raw(struct vector_run *run, const cJSON *step)
{
    const char *raw = json_get_string(step, "$raw");
    const char *encoded = json_get_string(step, "$raw_b64");
    AUTO_FREE char *bytes = encoded ? malloc(strlen(encoded) + 1) : NULL;

    if (raw)
        sim_bytes(&run->sim, raw, strlen(raw));
    else if (bytes)
        sim_bytes(&run->sim, bytes, vector_decode_base64(encoded, bytes));
}

static void run_command(struct vector_run *run, const cJSON *command)
{
    struct sim *sim = &run->sim;
    const char *type = json_get_string(command, "type");

    if (!type)
        type = "";
    if (strcmp(type, "stop") == 0) {
        char path[SIM_MESSAGE_ID_MAX];

        translator_cancel(sim->translator, sim->now, &sim->sink);
        snprintf(path, sizeof(path), "/session/%s/abort", sim->session);
        sim_request(sim, "POST", path);
    } else if (strcmp(type, "shutdown") == 0) {
        translator_cancel(sim->translator, sim->now, &sim->sink);
    } else if (strcmp(type, "prompt") == 0) {
        run->queued_command = command;
    }
    sim_advance(sim, COMMAND_WAIT_MS);
}

static void run_repeat(struct vector_run *run, const cJSON *step)
{
    int count = json_get(step, "$repeat")->valueint;

    for (int i = 0; i < count; i++) {
        AUTO_JSON cJSON *event = vector_fill(&run->sim, json_get(step, "event"));
        char index[16];

        snprintf(index, sizeof(index), "%d", i);
        vector_fill_index(event, index);
        sim_event(&run->sim, event);
    }
}

static void run_step(struct vector_run *run, const cJSON *step)
{
    struct sim *sim = &run->sim;
    double ms;

    if (json_get(step, "$raw") || json_get(step, "$raw_b64")) {
        run_raw(run, step);
    } else if (json_get_number(step, "$sleep_ms", &ms)) {
        sim_advance(sim, (uint64_t)ms);
    } else if (json_get(step, "$drop") || json_get(step, "$eof")) {
        run->ended = true;
        translator_stream_lost(sim->translator, sim->now, &sim->sink);
        sim_serve(sim);
    } else if (json_get(step, "$hang")) {
        run->ended = true;
    } else if (json_get(step, "$command")) {
        run_command(run, json_get(step, "$command"));
    } else if (json_get(step, "$repeat")) {
        run_repeat(run, step);
    } else {
        AUTO_JSON cJSON *event = vector_fill(sim, step);

        sim_event(sim, event);
    }
}

/* --- the life of one prompt --------------------------------------------------------------- */

static const char *command_message_id(const cJSON *command)
{
    const char *id = json_get_nonempty(command, "messageId");

    id = id ? id : json_get_nonempty(command, "message_id");
    return id ? id : "unknown";
}

static bool is_blank(const char *text)
{
    return !text || text[strspn(text, " \t\r\n")] == '\0';
}

/* B-901, as far as the vectors need it: the bridge checks this before it asks the translator. */
static bool has_valid_author(const cJSON *command)
{
    const cJSON *identity = json_get(json_get(command, "author"), "gitIdentity");
    const char *mode = json_get_string(identity, "mode");

    if (!mode)
        return false;
    return strcmp(mode, "agent-only") == 0 ||
           (strcmp(mode, "attributed-user") == 0 && !is_blank(json_get_string(identity, "name")) &&
            !is_blank(json_get_string(identity, "email")));
}

/* Failures before the post, which are the bridge's. True when there was one. */
static bool fails_early(struct vector_run *run, const cJSON *command, const cJSON *config)
{
    struct sim *sim = &run->sim;
    const char *signing = json_get_string(config, "git_signing_error");
    const cJSON *created = json_get(json_get(config, "create_session"), "body");
    const char *text = NULL;

    if (!has_valid_author(command)) {
        text = "Invalid prompt Git identity";
    } else if (signing) {
        text = signing;
    } else if (created && !json_get_nonempty(created, "id")) {
        sim_request(sim, "POST", "/session");
        text = "OpenCode session not initialized";
    }
    if (text)
        translator_fail(sim->translator, text, sim->now, &sim->sink);
    return text != NULL;
}

/* The stream and the post, as `config` has them answered. True when the prompt was accepted. */
static bool post_prompt(struct vector_run *run, const cJSON *config)
{
    struct sim *sim = &run->sim;
    const cJSON *stream = json_get(config, "event_stream");
    const cJSON *post = json_get(config, "prompt_async");
    AUTO_FREE char *body = NULL;
    char text[SIM_MESSAGE_ID_MAX];
    double status = 200;

    sim_request(sim, "GET", "/event");
    if (json_get_bool(stream, "hang", false))
        return false;
    if (json_get_number(stream, "status", &status) && status != 200) {
        snprintf(text, sizeof(text), "SSE connection failed: %.0f", status);
        translator_fail(sim->translator, text, sim->now, &sim->sink);
        return false;
    }
    snprintf(text, sizeof(text), "/session/%s/prompt_async", sim->session);
    sim_request(sim, "POST", text);
    if (json_get_bool(post, "hang", false))
        return false;
    if (json_get_bool(post, "transport_error", false)) {
        translator_stream_lost(sim->translator, sim->now, &sim->sink);
        sim_serve(sim);
        return false;
    }
    if (json_get_number(post, "status", &status) && status != 200 && status != 204) {
        body = json_to_string(json_get(post, "body"));
        snprintf(text, sizeof(text), "Async prompt failed: %.0f - %s", status, body ? body : "");
        translator_fail(sim->translator, text, sim->now, &sim->sink);
        return false;
    }
    translator_accepted(sim->translator, sim->now);
    return true;
}

static void start_prompt(struct vector_run *run, const cJSON *command)
{
    struct sim *sim = &run->sim;
    struct prompt_body_input input = {
        .content = json_get_string(command, "content"),
        .model = json_get_string(command, "model"),
        .reasoning_effort = json_get_string(command, "reasoningEffort"),
    };

    snprintf(run->user_id, sizeof(run->user_id), "msg_generated%d", ++run->prompts);
    sim->user_id = run->user_id;
    input.message_id = run->user_id;
    cJSON_Delete(run->body);
    run->body = prompt_body_build(&input);
    translator_start(sim->translator, run->user_id, sim->wall_ms, sim->now);
}

static const cJSON *answer_to_fetch(const cJSON *vector)
{
    const cJSON *messages = json_get(vector, "messages");

    return !messages || cJSON_IsArray(messages) ? messages : NULL;
}

/* Returns false when the prompt would never end. */
static bool run_prompt(struct vector_run *run, const cJSON *command, const cJSON *part,
                       const char *steps_key)
{
    struct sim *sim = &run->sim;
    const cJSON *config = json_get(part, "config");
    AUTO_JSON cJSON *messages = NULL;
    const cJSON *step;

    run->ended = false;
    sse_parser_reset(&sim->parser);
    if (translator_begin(sim->translator, command_message_id(command), sim->now) != 0)
        return false;
    if (fails_early(run, command, config))
        return true;
    start_prompt(run, command);
    messages =
        json_get(part, "messages") ? vector_fill(sim, answer_to_fetch(part)) : cJSON_CreateArray();
    sim->messages = messages;
    sim->abort_hangs = json_get_bool(json_get(config, "abort"), "hang", false);
    if (post_prompt(run, config)) {
        cJSON_ArrayForEach(step, json_get(part, steps_key)) {
            if (!run->ended)
                run_step(run, step);
        }
    }
    if (!sim_run_out(sim))
        return false;
    sim->messages = NULL;
    return true;
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Events that the bridge sends beside the translator. */
static bool is_translators(const cJSON *event)
{
    const char *type = json_get_string(event, "type");

    return type && strcmp(type, "snapshot_ready") != 0 && strcmp(type, "warning") != 0;
}

static void show(struct buf *out, const char *label, const cJSON *value)
{
    AUTO_FREE char *text = value ? json_to_string(value) : NULL;

    buf_printf(out, "    %s %.*s\n", label, SHOWN_EVENT_MAX, text ? text : "(nothing)");
}

static void compare_lists(struct buf *out, const char *what, const cJSON *got, const cJSON *wanted)
{
    const cJSON *left = got ? got->child : NULL;
    const cJSON *right = wanted ? wanted->child : NULL;

    for (int index = 0; left || right; index++) {
        while (right && cJSON_IsObject(right) && !is_translators(right))
            right = right->next;
        if (!left && !right)
            return;
        if (!left || !right || !cJSON_Compare(left, right, true)) {
            buf_printf(out, "  %s %d differs\n", what, index);
            show(out, "got:   ", left);
            show(out, "wanted:", right);
            return;
        }
        left = left->next;
        right = right->next;
    }
}

static void compare_body(struct vector_run *run, const cJSON *part, struct buf *out)
{
    const cJSON *expected = json_get(part, "expected_prompt_body");
    AUTO_JSON cJSON *wanted = expected ? vector_fill(&run->sim, expected) : NULL;
    const char *effort = json_get_nonempty(json_get(part, "command"), "reasoningEffort");

    /* Attachments are downloaded by the bridge; D-25 adds the variant. */
    if (!wanted || json_get(json_get(part, "command"), "attachments"))
        return;
    if (effort && json_get(wanted, "model") && !json_get(wanted, "variant"))
        json_add_string(wanted, "variant", effort);
    if (cJSON_Compare(run->body, wanted, true))
        return;
    buf_puts(out, "  prompt body differs\n");
    show(out, "got:   ", run->body);
    show(out, "wanted:", wanted);
}

static const cJSON *expectation(const cJSON *part, const cJSON *repaired, const char *key)
{
    const cJSON *value = json_get(repaired, key);

    return value ? value : json_get(part, key);
}

/* What came out, as an entry of repaired.json. */
static void print_results(struct vector_run *run, struct buf *printed)
{
    AUTO_JSON cJSON *entry = cJSON_CreateObject();

    cJSON_AddItemToObject(entry, "expected_events", cJSON_Duplicate(run->sim.events, true));
    cJSON_AddItemToObject(entry, "expected_opencode_requests",
                          cJSON_Duplicate(run->sim.requests, true));
    json_print(entry, printed);
    buf_putc(printed, '\n');
}

/* One prompt of the vector: the vector itself, or an element of its "then". */
static void run_part(struct vector_run *run, const cJSON *part, const cJSON *repaired,
                     struct buf *out)
{
    struct sim *sim = &run->sim;

    if (!run_prompt(run, json_get(part, "command"), part, "sse"))
        buf_puts(out, "  the prompt never ends\n");
    if (run->queued_command && !run_prompt(run, TAKE_PTR(run->queued_command), part, "sse_second"))
        buf_puts(out, "  the second prompt never ends\n");
    compare_lists(out, "event", sim->events, expectation(part, repaired, "expected_events"));
    compare_lists(out, "request", sim->requests,
                  expectation(part, repaired, "expected_opencode_requests"));
    compare_body(run, part, out);
    if (run->printed)
        print_results(run, run->printed);
    cJSON_Delete(sim->events);
    cJSON_Delete(sim->requests);
    sim->events = cJSON_CreateArray();
    sim->requests = cJSON_CreateArray();
}

static void set_limit(const cJSON *timing, const char *key, uint64_t *limit_ms)
{
    double seconds;

    if (json_get_number(timing, key, &seconds))
        *limit_ms = (uint64_t)llround(seconds * 1000);
}

static struct translator_limits limits_of(const cJSON *config)
{
    struct translator_limits limits = TRANSLATOR_DEFAULT_LIMITS;
    const cJSON *timing = json_get(config, "timing");
    const char *life = json_get_string(json_get(config, "env"), "SANDBOX_TIMEOUT_SECONDS");

    limits.token_interval_ms = 0;
    if (life) /* B-107: three quarters of a short life */
        limits.max_duration_ms = (uint64_t)(strtod(life, NULL) * 750);
    set_limit(timing, "prompt_max_duration_seconds", &limits.max_duration_ms);
    set_limit(timing, "sse_inactivity_timeout_seconds", &limits.inactivity_ms);
    set_limit(timing, "prompt_cleanup_timeout_seconds", &limits.cleanup_ms);
    return limits;
}

char *vector_run(const cJSON *vector, const cJSON *repaired, struct buf *printed)
{
    const cJSON *config = json_get(vector, "config");
    struct translator_limits limits = limits_of(config);
    struct vector_run run = {.vector = vector, .printed = printed};
    AUTO_BUF struct buf out = BUF_INIT(DIFFERENCE_MAX);
    const cJSON *part;
    double wall_ms;

    sim_init(&run.sim, &limits, "ses_parent");
    if (json_get_number(config, "frozen_wall_clock_ms", &wall_ms))
        run.sim.wall_ms = (uint64_t)wall_ms;
    run_part(&run, vector, repaired, &out);
    cJSON_ArrayForEach(part, json_get(vector, "then")) {
        run_part(&run, part, NULL, &out);
    }
    sim_free(&run.sim);
    cJSON_Delete(run.body);
    buf_puts(&out, "");
    return buf_take(&out);
}
