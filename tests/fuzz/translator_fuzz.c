/*
 * Fuzzer of bridge/translate/. The input is a script, one action a line; a line that begins with
 * `{` is an event of OpenCode's stream, `[` is the answer to a final fetch, `r{` with "messages" and
 * "status" is what is stored after a gap. Checked after each:
 *
 * - a prompt has at most one completion, and nothing of it follows;
 * - what comes out is JSON that parses again, with a type, and only known fields;
 * - an event of a foreign session (FOREIGN) makes nothing come out;
 * - the bounds of translator.h hold;
 * - a tick at the deadline moves the deadline, and every prompt ends.
 */
#include "bridge/translate/event_limits.h"
#include "bridge/translate/state.h"
#include "common/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREIGN "\"F\""
#define MESSAGE_ID_MAX 16
#define ALARMS_MAX 64
#define STEP_MS 37
/* The newest and the waiting text are never forgotten. */
#define FUZZ_SLACK_BYTES ((size_t)3 * 1024 * 1024 / 4)

struct fuzz {
    struct translator *translator;
    struct translator_sink sink;
    uint64_t now;
    unsigned prompts;
    unsigned completions;
    unsigned events;
    char message_id[MESSAGE_ID_MAX];
};

static void require(int good)
{
    if (!good)
        abort();
}

static void on_event(void *user, cJSON *event)
{
    struct fuzz *fuzz = user;
    const char *type = json_get_nonempty(event, "type");
    const char *message_id = json_get_string(event, "messageId");
    char *text = json_to_string(event);
    cJSON *again = text ? json_parse(text, strlen(text), NULL) : NULL;

    require(type && again && strlen(text) <= EVENT_MAX);
    if (strcmp(type, "session_title") != 0) {
        require(message_id && strcmp(message_id, fuzz->message_id) == 0);
        require(fuzz->completions < fuzz->prompts);
    }
    if (strcmp(type, "tool_call") == 0)
        require(json_get_object(event, "args") && json_get_string(event, "output"));
    if (strcmp(type, "execution_complete") == 0) {
        fuzz->completions++;
        require(json_get_string(event, "ackId") != NULL);
    }
    fuzz->events++;
    cJSON_Delete(again);
    free(text);
    cJSON_Delete(event);
}

static void on_note(void *user, enum log_level level, const char *name, const cJSON *fields)
{
    (void)user;
    require(level < LOG_LEVEL_COUNT && name && (!fields || cJSON_IsObject(fields)));
}

static void on_ask(void *user, enum translator_ask_kind kind, const char *id)
{
    (void)user;
    (void)kind;
    require(id && id[0]);
}

static void check_bounds(const struct translator *t)
{
    require(t->held.count <= HELD_PARTS_MAX && t->held.bytes <= HELD_PARTS_BYTES_MAX);
    require(t->subtasks.queue_count <= SUBTASKS_QUEUE_MAX);
    require(t->texts.parts.count <= TEXT_PARTS_MAX);
    require(t->tools.count <= TRANSLATOR_TOOL_KEYS_MAX);
    require(t->texts.bytes <= TEXT_PARTS_BYTES_MAX + FUZZ_SLACK_BYTES);
}

static void feed(struct fuzz *fuzz, const char *line, size_t len)
{
    cJSON *event = json_parse(line, len, NULL);
    const char *session = json_get_string(json_get(event, "properties"), "sessionID");
    unsigned before = fuzz->events;
    bool is_foreign = session && strcmp(session, "F") == 0;
    const char *first = memmem(line, len, FOREIGN, strlen(FOREIGN));
    bool is_named_twice =
        first && memmem(first + 1, len - (size_t)(first + 1 - line), FOREIGN, strlen(FOREIGN));

    /* The foreign session may not become a child of ours by another mention. */
    if (!event || (first && (!is_foreign || is_named_twice)) || memmem(line, len, "\\u00", 4)) {
        cJSON_Delete(event);
        return;
    }
    translator_heard(fuzz->translator, fuzz->now);
    translator_feed(fuzz->translator, event, len, fuzz->now, &fuzz->sink);
    require(!is_foreign || fuzz->events == before);
    cJSON_Delete(event);
}

static void tick(struct fuzz *fuzz)
{
    uint64_t deadline = translator_deadline(fuzz->translator);

    if (deadline == UINT64_MAX)
        return;
    fuzz->now = deadline > fuzz->now ? deadline : fuzz->now;
    translator_tick(fuzz->translator, fuzz->now, &fuzz->sink);
    require(translator_deadline(fuzz->translator) > fuzz->now ||
            translator_deadline(fuzz->translator) != deadline);
}

static void begin(struct fuzz *fuzz)
{
    if (!translator_is_done(fuzz->translator)) {
        require(translator_begin(fuzz->translator, "second", fuzz->now) == -1);
        return;
    }
    fuzz->prompts++;
    snprintf(fuzz->message_id, sizeof(fuzz->message_id), "m%u", fuzz->prompts);
    require(translator_begin(fuzz->translator, fuzz->message_id, fuzz->now) == 0);
}

/* A stored task may not make the foreign session a child of ours. */
static bool names_foreign(const char *line, size_t len)
{
    return memmem(line, len, FOREIGN, strlen(FOREIGN)) || memmem(line, len, "\\u00", 4);
}

static void repair(struct fuzz *fuzz, const char *line, size_t len)
{
    cJSON *messages = names_foreign(line, len) ? NULL : json_parse(line, len, NULL);

    translator_repair(fuzz->translator, messages, fuzz->now, &fuzz->sink);
    cJSON_Delete(messages);
}

static void resync(struct fuzz *fuzz, const char *line, size_t len)
{
    cJSON *both = names_foreign(line, len) ? NULL : json_parse(line, len, NULL);
    const struct translator_stored stored = {.messages = json_get(both, "messages"),
                                             .status = json_get(both, "status"),
                                             .omits_steps = fuzz->prompts % 2 == 0};

    translator_resync(fuzz->translator, &stored, fuzz->now, &fuzz->sink);
    cJSON_Delete(both);
}

static void act(struct fuzz *fuzz, const char *line, size_t len)
{
    struct translator *t = fuzz->translator;

    switch (line[0]) {
    case '{':
        feed(fuzz, line, len);
        break;
    case '[':
        repair(fuzz, line, len);
        break;
    case 'b':
        begin(fuzz);
        break;
    case 's':
        translator_start(t, "U", 1000, fuzz->now);
        break;
    case 'a':
        translator_accepted(t, fuzz->now);
        break;
    case 'c':
        translator_cancel(t, fuzz->now, &fuzz->sink);
        break;
    case 'f':
        translator_fail(t, "failed", fuzz->now, &fuzz->sink);
        break;
    case 'g':
        translator_on_gap(t);
        break;
    case 'r':
        resync(fuzz, line + 1, len - 1);
        break;
    case 'l':
        translator_stream_lost(t, fuzz->now, &fuzz->sink);
        break;
    case 't':
        tick(fuzz);
        break;
    default:
        fuzz->now += STEP_MS;
    }
    check_bounds(t);
}

static void finish(struct fuzz *fuzz)
{
    for (int i = 0; i < ALARMS_MAX && !translator_is_done(fuzz->translator); i++) {
        if (translator_deadline(fuzz->translator) == UINT64_MAX) /* never started */
            translator_fail(fuzz->translator, "end", fuzz->now, &fuzz->sink);
        tick(fuzz);
    }
    require(translator_is_done(fuzz->translator));
    require(fuzz->completions == fuzz->prompts);
    require(!translator_take_wants(fuzz->translator).fetch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {.translator = translator_new(NULL), .now = 1};
    const char *at = (const char *)data;
    const char *end = at + size;

    fuzz.sink = (struct translator_sink){&fuzz, on_event, on_note, on_ask};
    translator_set_session(fuzz.translator, "P");
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((newline ? newline : end) - at);

        if (len > 0)
            act(&fuzz, at, len);
        at += len + 1;
    }
    finish(&fuzz);
    translator_free(fuzz.translator);
    return 0;
}
