/*
 * Recordings of the real OpenCode with a hole in the event stream, at every place and of several
 * lengths: what OpenCode has stored by then makes good for it. Each must end as the whole recording
 * does: one completion, the same success, the same answer, the same ends of the parent's tools, each
 * once, the same steps and compactions.
 */
#include "bridge/translate/translator.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "tests/vectors/traces"
#define FILE_MAX ((size_t)1024 * 1024)
#define LINES_MAX 400
#define RESULT_MAX ((size_t)64 * 1024)
#define ALARMS_MAX 20
#define EVERY 2 /* places: every other line is the first that is not heard */

struct replay {
    struct translator *translator;
    struct translator_sink sink;
    const char *session;
    uint64_t now;
    cJSON *stored; /* what GET /session/:id/message would say */
    bool is_busy;
    char *answer; /* the newest token */
    struct buf ends;
    int completions, steps, compactions;
};

static void on_event(void *user, cJSON *event)
{
    struct replay *replay = user;
    const char *type = json_get_string(event, "type");
    const char *status = json_get_string(event, "status");

    if (strcmp(type, "token") == 0) {
        free(replay->answer);
        replay->answer = strdup(json_get_string(event, "content"));
    } else if (strcmp(type, "execution_complete") == 0) {
        replay->completions++;
        buf_printf(&replay->ends, "%s\n",
                   json_get_bool(event, "success", false) ? "success" : "failure");
    } else if (!json_get(event, "isSubtask")) {
        replay->steps += strcmp(type, "step_finish") == 0;
        replay->compactions += strcmp(type, "context_compacted") == 0;
        if (status && strcmp(status, "running") != 0 && strcmp(status, "pending") != 0)
            buf_printf(&replay->ends, "%s %s\n", json_get_string(event, "callId"), status);
    }
    cJSON_Delete(event);
}

static cJSON *find(cJSON *list, const char *key, const char *id)
{
    cJSON *item;

    cJSON_ArrayForEach(item, list) {
        const char *known = json_get_string(key ? json_get(item, key) : item, "id");

        if (known && strcmp(known, id) == 0)
            return item;
    }
    return NULL;
}

/* As OpenCode does: a text that streams is stored as it was announced, empty. */
static void store(struct replay *replay, const cJSON *event)
{
    const cJSON *properties = json_get(event, "properties");
    const cJSON *info = json_get_object(properties, "info");
    const cJSON *part = json_get_object(properties, "part");
    const char *session = json_get_string(properties, "sessionID");
    const char *type = json_get_string(event, "type");
    const char *status = json_get_string(json_get(properties, "status"), "type");
    cJSON *entry, *known, *parts;

    if (!session || strcmp(session, replay->session) != 0)
        return;
    if (status)
        replay->is_busy = strcmp(status, "idle") != 0;
    if (strcmp(type, "message.updated") == 0) {
        entry = find(replay->stored, "info", json_get_string(info, "id"));
        if (!entry) {
            entry = cJSON_CreateObject();
            json_put(entry, "parts", cJSON_CreateArray());
            cJSON_AddItemToArray(replay->stored, entry);
        }
        json_put(entry, "info", cJSON_Duplicate(info, true));
    } else if (strcmp(type, "message.part.updated") == 0) {
        entry = find(replay->stored, "info", json_get_string(part, "messageID"));
        parts = json_get_array(entry, "parts");
        known = find(parts, NULL, json_get_string(part, "id"));
        if (known)
            cJSON_ReplaceItemViaPointer(parts, known, cJSON_Duplicate(part, true));
        else if (parts)
            cJSON_AddItemToArray(parts, cJSON_Duplicate(part, true));
    }
}

static void serve(struct replay *replay)
{
    struct translator_wants wants = translator_take_wants(replay->translator);
    AUTO_JSON cJSON *messages = wants.fetch ? cJSON_Duplicate(replay->stored, true) : NULL;

    if (wants.fetch)
        translator_repair(replay->translator, messages, replay->now, &replay->sink);
}

static void resync(struct replay *replay)
{
    AUTO_JSON cJSON *messages = cJSON_Duplicate(replay->stored, true);
    AUTO_JSON cJSON *status = cJSON_CreateObject();
    const struct translator_stored stored = {.messages = messages, .status = status};

    if (replay->is_busy)
        json_put(status, replay->session, cJSON_CreateObject());
    translator_resync(replay->translator, &stored, replay->now, &replay->sink);
    serve(replay);
}

static void begin(struct replay *replay, const cJSON *step)
{
    double wall_ms = 0;

    json_get_number(step, "wall_ms", &wall_ms);
    translator_begin(replay->translator, "m-1", replay->now);
    translator_start(replay->translator, json_get_string(step, "user"), (uint64_t)wall_ms,
                     replay->now);
    translator_accepted(replay->translator, replay->now);
}

/* Plays the lines; those in [hole, hole + length) are stored and not heard. */
static void play(struct replay *replay, char *const *lines, int count, const cJSON *test_case,
                 int hole, int length)
{
    *replay = (struct replay){.translator = translator_new(NULL),
                              .session = json_get_string(test_case, "session"),
                              .now = 1000,
                              .stored = cJSON_CreateArray()};
    replay->sink = (struct translator_sink){.user = replay, .on_event = on_event};
    buf_init(&replay->ends, RESULT_MAX);
    translator_set_session(replay->translator, replay->session);
    begin(replay, json_get(test_case, "steps")->child);
    for (int line = 0; line < count; line++) {
        AUTO_JSON cJSON *event = json_parse(lines[line], strlen(lines[line]), NULL);

        store(replay, event);
        if (line == hole)
            translator_on_gap(replay->translator);
        if (line < hole || line >= hole + length) {
            translator_feed(replay->translator, event, strlen(lines[line]), replay->now,
                            &replay->sink);
            serve(replay);
        }
        if (line == hole + length - 1 ||
            (line == count - 1 && line < hole + length && line >= hole))
            resync(replay);
    }
    for (int i = 0; i < ALARMS_MAX && !translator_is_done(replay->translator); i++) {
        replay->now = translator_deadline(replay->translator);
        translator_tick(replay->translator, replay->now, &replay->sink);
        serve(replay);
    }
}

static void close_replay(struct replay *replay)
{
    translator_free(replay->translator);
    cJSON_Delete(replay->stored);
    free(replay->answer);
    buf_free(&replay->ends);
}

/* Ends of tools may come in another order. */
static bool has_same_lines(const char *one, const char *other)
{
    if (strlen(one) != strlen(other))
        return false;
    for (const char *line = one; *line; line += strcspn(line, "\n") + 1) {
        if (!memmem(other, strlen(other), line, strcspn(line, "\n") + 1))
            return false;
    }
    return true;
}

static bool is_same(const struct replay *got, const struct replay *wanted)
{
    const char *answer = got->answer ? got->answer : "";

    return got->completions == 1 && got->steps == wanted->steps &&
           got->compactions == wanted->compactions &&
           strcmp(answer, wanted->answer ? wanted->answer : "") == 0 &&
           has_same_lines(buf_text(&got->ends), buf_text(&wanted->ends));
}

static void try_holes(const char *name, char *const *lines, int count, const cJSON *test_case)
{
    static const int lengths[] = {1, 4, 15, LINES_MAX};
    struct replay whole, holed;

    play(&whole, lines, count, test_case, count, 0);
    CHECK_INT(whole.completions, 1);
    for (int hole = 1; hole < count; hole += EVERY) {
        for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
            play(&holed, lines, count, test_case, hole, lengths[i]);
            if (!is_same(&holed, &whole)) {
                printf("  %s, hole of %d at line %d: %d completions, %d steps, %d compactions, "
                       "answer %s, %s  instead of %d steps, %d compactions, answer %s, %s\n",
                       name, lengths[i], hole + 1, holed.completions, holed.steps,
                       holed.compactions, holed.answer, buf_text(&holed.ends), whole.steps,
                       whole.compactions, whole.answer, buf_text(&whole.ends));
                CHECK(false);
            }
            close_replay(&holed);
        }
    }
    close_replay(&whole);
}

static void try_trace(const char *name)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    AUTO_BUF struct buf case_text = BUF_INIT(FILE_MAX);
    AUTO_JSON cJSON *test_case = NULL;
    char *lines[LINES_MAX];
    char path[512];
    int count = 0;

    snprintf(path, sizeof path, FOLDER "/%s.jsonl", name);
    CHECK_INT(file_read(path, &text, NULL), 0);
    snprintf(path, sizeof path, FOLDER "/%s.case.json", name);
    CHECK_INT(file_read(path, &case_text, NULL), 0);
    test_case = json_parse(buf_text(&case_text), case_text.len, NULL);
    for (char *line = text.data; line && *line && count < LINES_MAX; count++) {
        char *end = strchr(line, '\n');

        lines[count] = line;
        if (end)
            *end = '\0';
        line = end ? end + 1 : NULL;
    }
    try_holes(name, lines, count, test_case);
}

int main(void)
{
    static const char *const traces[] = {
        "tool-bash",          "tool-parallel",     "tool-write-read-edit",
        "tool-text-and-call", "tool-read-missing", "reasoning",
        "doom-loop",          "overflow-once",     "compaction-by-usage",
        "subagent-error",     "subagent-parallel", "anthropic-think-tool",
        "error-401",          "error-429-x2",      "permission-reject",
    };

    for (size_t i = 0; i < ARRAY_LENGTH(traces); i++) {
        TEST(traces[i])
            try_trace(traces[i]);
    }
    return check_done();
}
