/*
 * Fuzzer of bridge/translate/. The input is a script, one action a line; a line that begins with
 * `{` is an event of OpenCode's stream, `[` is the answer to a final fetch, `r{` with "messages" and
 * "status" is what is stored after a gap. The five invariants of the translator, checked after each
 * action:
 *
 * 1. a prompt has at most one completion, nothing of it follows, and in the end it has one;
 * 2. the bounds of state.h and of what it is made of hold, and no event passes EVENT_MAX_BYTES;
 * 3. what comes out is valid UTF-8,
 * 4. and JSON that parses to itself, with the fields that the control plane takes (FIELDS): others
 *    are dropped there without a word;
 * 5. nothing of a foreign session (FOREIGN, whose texts hold MARK) comes out, at once or later.
 *
 * Besides: a tick at the deadline moves the deadline.
 */
#include "bridge/control_plane/event_envelope.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/fuzz/require.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREIGN "\"F\""
#define MARK "f0reign"
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

/* ---- what comes out ---- */

enum kind { TEXT, FLAG, NUMBER, OBJECT, USAGE };

/* What the control plane takes: required fields, then, after NULL, optional ones. */
struct field {
    const char *name;
    enum kind kind;
    bool is_optional;
};
#define MESSAGE                  \
    {                            \
        "messageId", TEXT, false \
    }
#define SUBTASK                                                \
    {"isSubtask", FLAG, true}, {"childSessionId", TEXT, true}, \
    {                                                          \
        "taskCallId", TEXT, true                               \
    }
#define FIELDS_MAX 10

static const struct {
    const char *type;
    struct field fields[FIELDS_MAX];
} schema[] = {
    {"token", {MESSAGE, {"content", TEXT, false}}},
    {"tool_call",
     {MESSAGE,
      SUBTASK,
      {"tool", TEXT, false},
      {"callId", TEXT, false},
      {"args", OBJECT, false},
      {"status", TEXT, true},
      {"output", TEXT, true}}},
    {"step_start", {MESSAGE, SUBTASK}},
    {"step_finish",
     {MESSAGE, SUBTASK, {"cost", NUMBER, true}, {"tokens", USAGE, true}, {"reason", TEXT, true}}},
    {"context_compacted", {MESSAGE}},
    {"error", {MESSAGE, SUBTASK, {"error", TEXT, false}, {"ackId", TEXT, false}}},
    {"execution_complete",
     {MESSAGE, {"success", FLAG, false}, {"error", TEXT, true}, {"ackId", TEXT, false}}},
    {"session_title", {{"title", TEXT, false}}},
};

static bool is_of_kind(const cJSON *value, enum kind kind)
{
    switch (kind) {
    case TEXT:
        return cJSON_IsString(value);
    case FLAG:
        return cJSON_IsBool(value);
    case NUMBER:
        return cJSON_IsNumber(value);
    case OBJECT:
        return cJSON_IsObject(value);
    default:
        return cJSON_IsNumber(value) || cJSON_IsObject(value);
    }
}

static const struct field *fields_of(const char *type)
{
    for (size_t i = 0; i < ARRAY_LENGTH(schema); i++) {
        if (strcmp(schema[i].type, type) == 0)
            return schema[i].fields;
    }
    return NULL;
}

static void check_fields(const cJSON *event, const char *type)
{
    const struct field *fields = fields_of(type);
    const cJSON *member;

    require(fields);
    for (int i = 0; i < FIELDS_MAX && fields[i].name; i++)
        require(fields[i].is_optional || json_get(event, fields[i].name));
    cJSON_ArrayForEach(member, event) {
        int i = 0;

        if (strcmp(member->string, "type") == 0)
            continue;
        while (i < FIELDS_MAX && fields[i].name && strcmp(fields[i].name, member->string) != 0)
            i++;
        require(i < FIELDS_MAX && fields[i].name);
        require(is_of_kind(member, fields[i].kind));
    }
}

/* Strictly: no surrogates, nothing overlong, nothing past U+10FFFF. */
static void check_utf8(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    while (*c) {
        int more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : 1;
        uint32_t code = more == 0 ? *c : *c & (0x3fu >> more);
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};

        require(*c < 0x80 || (*c >= 0xc2 && *c <= 0xf4));
        c++;
        for (int i = 0; i < more; i++, c++) {
            require((*c & 0xc0) == 0x80);
            code = code << 6 | (*c & 0x3f);
        }
        require(code >= least[more] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff));
    }
}

static void check_json(const char *text)
{
    AUTO_JSON cJSON *again = json_parse(text, strlen(text), NULL);
    char *printed = again ? json_to_string(again) : NULL;

    require(printed && strcmp(printed, text) == 0);
    free(printed);
}

static void on_event(void *user, cJSON *event)
{
    struct fuzz *fuzz = user;
    const char *type = json_get_nonempty(event, "type");
    const char *message_id = json_get_string(event, "messageId");
    char *text = json_to_string(event);

    require(type && text && strlen(text) <= EVENT_MAX_BYTES && !strstr(text, MARK));
    check_utf8(text);
    check_json(text);
    check_fields(event, type);
    if (strcmp(type, "session_title") != 0) {
        require(message_id && strcmp(message_id, fuzz->message_id) == 0);
        require(fuzz->completions < fuzz->prompts);
    }
    if (strcmp(type, "execution_complete") == 0)
        fuzz->completions++;
    fuzz->events++;
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
    require(t->subtasks.children.count <= SUBTASKS_CHILDREN_MAX);
    require(t->subtasks.queue_bytes <= SUBTASKS_QUEUE_BYTES_MAX);
    require(t->errors.count <= TRANSLATOR_ERRORS_MAX);
    require(t->texts.bytes <= TEXT_PARTS_BYTES_MAX + FUZZ_SLACK_BYTES);
}

static size_t mentions(const char *line, size_t len, const char *wanted)
{
    size_t count = 0;

    for (const char *at = line;
         (at = memmem(at, len - (size_t)(at - line), wanted, strlen(wanted))) != NULL; at++)
        count++;
    return count;
}

/* Of a stranger, and of nobody else. */
static bool is_foreign_event(const cJSON *event, const char *line, size_t len)
{
    const cJSON *properties = json_get(event, "properties");
    const cJSON *owners[] = {properties, json_get(properties, "part"),
                             json_get(properties, "info")};
    size_t owned = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(owners); i++) {
        const char *session = json_get_string(owners[i], "sessionID");

        if (session && strcmp(session, "F") != 0)
            return false;
        owned += session != NULL;
    }
    return json_get_string(properties, "sessionID") && owned == mentions(line, len, FOREIGN);
}

static void feed(struct fuzz *fuzz, const char *line, size_t len)
{
    AUTO_JSON cJSON *event = json_parse(line, len, NULL);
    unsigned before = fuzz->events;
    bool is_foreign = is_foreign_event(event, line, len);

    /* The foreign session may not become a child of ours by another mention, and only it has MARK. */
    if (!event || memmem(line, len, "\\u00", 4) ||
        (!is_foreign && (mentions(line, len, FOREIGN) || mentions(line, len, MARK))))
        return;
    translator_heard(fuzz->translator, fuzz->now);
    translator_feed(fuzz->translator, event, len, fuzz->now, &fuzz->sink);
    require(!is_foreign || fuzz->events == before);
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

/* A stored task may not make the foreign session a child of ours, and only that one has MARK. */
static bool names_foreign(const char *line, size_t len)
{
    return mentions(line, len, FOREIGN) || mentions(line, len, MARK) ||
           mentions(line, len, "\\u00");
}

static void repair(struct fuzz *fuzz, const char *line, size_t len)
{
    AUTO_JSON cJSON *messages = names_foreign(line, len) ? NULL : json_parse(line, len, NULL);

    translator_repair(fuzz->translator, messages, fuzz->now, &fuzz->sink);
}

static void resync(struct fuzz *fuzz, const char *line, size_t len)
{
    AUTO_JSON cJSON *both = names_foreign(line, len) ? NULL : json_parse(line, len, NULL);
    const struct translator_stored stored = {.messages = json_get(both, "messages"),
                                             .status = json_get(both, "status"),
                                             .omits_steps = fuzz->prompts % 2 == 0};

    translator_resync(fuzz->translator, &stored, fuzz->now, &fuzz->sink);
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
