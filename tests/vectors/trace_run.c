#include "common/cleanup.h"
#include "common/json.h"
#include "tests/vectors/replay.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUMMARY_MAX ((size_t)16 * 1024)
#define SHOWN_TEXT_MAX 200
#define DIFFERENCE_MAX ((size_t)64 * 1024)

/* A trace's times lie in one recording; the clock stands still but where a case says otherwise. */
static const struct translator_limits *trace_limits(void)
{
    return &TRANSLATOR_DEFAULT_LIMITS;
}

static void summarise_text(struct buf *out, const char *text)
{
    size_t len = strlen(text);

    if (len <= SHOWN_TEXT_MAX)
        json_print_string(text, len, out);
    else
        buf_printf(out, "<%zu bytes>", len);
}

static void summarise(struct buf *out, const cJSON *event)
{
    static const char *const words[] = {"tool",   "callId", "status",         "success",
                                        "reason", "title",  "childSessionId", "taskCallId"};
    static const char *const texts[] = {"content", "error", "output"};

    buf_puts(out, json_get_string(event, "type"));
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        const cJSON *value = json_get(event, words[i]);

        if (cJSON_IsString(value))
            buf_printf(out, " %s=%s", words[i], value->valuestring);
        else if (cJSON_IsBool(value))
            buf_printf(out, " %s=%s", words[i], cJSON_IsTrue(value) ? "true" : "false");
    }
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        const char *text = json_get_nonempty(event, texts[i]);

        if (!text)
            continue;
        buf_printf(out, " %s=", texts[i]);
        summarise_text(out, text);
    }
    if (json_get_string(event, "messageId"))
        buf_printf(out, " (%s)", json_get_string(event, "messageId"));
}

cJSON *trace_summary(const cJSON *events, const cJSON *asks)
{
    cJSON *lines = cJSON_CreateArray();
    const cJSON *item;

    cJSON_ArrayForEach(item, events) {
        AUTO_BUF struct buf line = BUF_INIT(SUMMARY_MAX);

        summarise(&line, item);
        cJSON_AddItemToArray(lines, cJSON_CreateString(buf_text(&line)));
    }
    cJSON_ArrayForEach(item, asks) {
        cJSON_AddItemToArray(lines, cJSON_Duplicate(item, true));
    }
    return lines;
}

/* What the case does before the line of that number. */
static void act(struct sim *sim, const cJSON *step)
{
    const char *message_id = json_get_string(step, "prompt");
    const char *user_id = json_get_string(step, "user");
    double wall_ms = 0;
    double wait_ms;

    if (json_get_number(step, "wait_ms", &wait_ms))
        sim_advance(sim, (uint64_t)wait_ms);
    if (json_get_bool(step, "cancel", false))
        translator_cancel(sim->translator, sim->now, &sim->sink);
    if (json_get_bool(step, "stream_lost", false)) {
        translator_stream_lost(sim->translator, sim->now, &sim->sink);
        sim_serve(sim);
    }
    if (!message_id || !user_id)
        return;
    json_get_number(step, "wall_ms", &wall_ms);
    if (translator_begin(sim->translator, message_id, sim->now) == 0 &&
        translator_start(sim->translator, user_id, (uint64_t)wall_ms, sim->now) == 0)
        translator_accepted(sim->translator, sim->now);
}

static const cJSON *act_before(struct sim *sim, const cJSON *step, int line)
{
    while (step) {
        double at = INT_MAX; /* no line given: after the last */

        json_get_number(step, "before_line", &at);
        if (at > line)
            break;
        act(sim, step);
        step = step->next;
    }
    return step;
}

static void compare(struct buf *out, const cJSON *got, const cJSON *wanted)
{
    const cJSON *left = got->child;
    const cJSON *right = wanted ? wanted->child : NULL;

    while (left && right && cJSON_Compare(left, right, true)) {
        left = left->next;
        right = right->next;
    }
    if (left || right)
        buf_printf(out, "    got:    %s\n    wanted: %s\n", left ? left->valuestring : "(nothing)",
                   right ? right->valuestring : "(nothing)");
}

char *trace_run(const char *lines, const cJSON *test_case, struct buf *printed)
{
    AUTO_BUF struct buf out = BUF_INIT(DIFFERENCE_MAX);
    const cJSON *steps = json_get_array(test_case, "steps");
    const cJSON *step = steps ? steps->child : NULL;
    cJSON *summary;
    struct sim sim;

    sim_init(&sim, trace_limits(), json_get_string(test_case, "session"));
    for (int line = 1; *lines; line++) {
        size_t len = strcspn(lines, "\n");

        step = act_before(&sim, step, line);
        sim_bytes(&sim, "data:", 5);
        sim_bytes(&sim, lines, len);
        sim_bytes(&sim, "\n\n", 2);
        lines += len + (lines[len] == '\n');
    }
    act_before(&sim, step, INT_MAX);
    if (!sim_run_out(&sim))
        buf_puts(&out, "  the prompt never ends\n");
    summary = trace_summary(sim.events, sim.asks);
    compare(&out, summary, json_get(test_case, "expected"));
    if (printed) {
        json_print(summary, printed);
        buf_putc(printed, '\n');
    }
    cJSON_Delete(summary);
    sim_free(&sim);
    buf_puts(&out, "");
    return buf_take(&out);
}
