/*
 * A translator with a prompt in progress, for unit tests: events are written as JSON with single
 * quotes, results are collected as one short line each ("token:text", "error:...", "done:true").
 * Session "P", user message "U", control plane's message "m-1".
 */
#ifndef TESTS_UNIT_TRANSLATE_FIXTURE_H
#define TESTS_UNIT_TRANSLATE_FIXTURE_H

#include "bridge/translate/translator.h"
#include "common/buf.h"
#include "common/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXTURE_OUTPUT_MAX ((size_t)8 * 1024 * 1024)
#define FIXTURE_WALL_MS 1754000000000u

struct fixture {
    struct translator *translator;
    struct translator_sink sink;
    uint64_t now;
    struct buf lines; /* of what came out since the last look, each ended by a newline */
    struct buf shown;
    cJSON *last;
    int notes;
    const char *note; /* the last one's name: a constant of the translator */
    cJSON *note_fields;
};

static inline void fixture_on_event(void *user, cJSON *event)
{
    struct fixture *fixture = user;
    const char *type = json_get_string(event, "type");
    static const char *const texts[] = {"content", "error", "title", "status"};

    buf_puts(&fixture->lines, type);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (json_get_string(event, texts[i]))
            buf_printf(&fixture->lines, ":%s", json_get_string(event, texts[i]));
    }
    if (strcmp(type, "execution_complete") == 0)
        buf_puts(&fixture->lines, json_get_bool(event, "success", false) ? ":ok" : ":failed");
    buf_putc(&fixture->lines, '\n');
    cJSON_Delete(fixture->last);
    fixture->last = event;
}

static inline void fixture_on_note(void *user, enum log_level level, const char *name,
                                   const cJSON *fields)
{
    struct fixture *fixture = user;

    (void)level;
    fixture->notes++;
    fixture->note = name;
    cJSON_Delete(fixture->note_fields);
    fixture->note_fields = cJSON_Duplicate(fields, true);
}

static inline void fixture_on_ask(void *user, enum translator_ask_kind kind, const char *id)
{
    struct fixture *fixture = user;

    buf_printf(&fixture->lines, "ask:%s:%s\n",
               kind == TRANSLATOR_ASK_PERMISSION ? "permission" : "question", id);
}

/* Begins the prompt "m-<number>" with the user message "U", or "U<number>" from the second on. */
static inline void fixture_prompt(struct fixture *fixture, int number)
{
    char message_id[16];
    char user_id[16];

    snprintf(message_id, sizeof(message_id), "m-%d", number);
    snprintf(user_id, sizeof(user_id), number > 1 ? "U%d" : "U", number);
    translator_begin(fixture->translator, message_id, fixture->now);
    translator_start(fixture->translator, user_id, FIXTURE_WALL_MS, fixture->now);
    translator_accepted(fixture->translator, fixture->now);
}

static inline void fixture_open(struct fixture *fixture, const struct translator_limits *limits)
{
    *fixture = (struct fixture){.translator = translator_new(limits), .now = 1000};
    fixture->sink =
        (struct translator_sink){fixture, fixture_on_event, fixture_on_note, fixture_on_ask};
    buf_init(&fixture->lines, FIXTURE_OUTPUT_MAX);
    buf_init(&fixture->shown, FIXTURE_OUTPUT_MAX);
    translator_set_session(fixture->translator, "P");
    fixture_prompt(fixture, 1);
}

static inline void fixture_close(struct fixture *fixture)
{
    translator_free(fixture->translator);
    buf_free(&fixture->lines);
    buf_free(&fixture->shown);
    cJSON_Delete(fixture->last);
    cJSON_Delete(fixture->note_fields);
}

static inline double fixture_note_number(const struct fixture *fixture, const char *key)
{
    double number = -1;

    json_get_number(fixture->note_fields, key, &number);
    return number;
}

/* What came out since the last call. */
static inline const char *fixture_look(struct fixture *fixture)
{
    buf_reset(&fixture->shown);
    buf_puts(&fixture->shown, buf_text(&fixture->lines));
    buf_reset(&fixture->lines);
    return buf_text(&fixture->shown);
}

static inline cJSON *fixture_json(const char *text)
{
    char *copy = strdup(text);
    cJSON *value;

    for (char *at = copy; (at = strchr(at, '\'')) != NULL;)
        *at = '"';
    value = json_parse(copy, strlen(copy), NULL);
    free(copy);
    return value;
}

static inline void fixture_feed(struct fixture *fixture, const char *text)
{
    cJSON *event = fixture_json(text);

    translator_heard(fixture->translator, fixture->now);
    translator_feed(fixture->translator, event, strlen(text), fixture->now, &fixture->sink);
    cJSON_Delete(event);
}

static inline void fixture_repair(struct fixture *fixture, const char *text)
{
    cJSON *messages = text ? fixture_json(text) : NULL;

    translator_repair(fixture->translator, messages, fixture->now, &fixture->sink);
    cJSON_Delete(messages);
}

/* Lets time pass to the next deadline. */
static inline void fixture_tick(struct fixture *fixture)
{
    fixture->now = translator_deadline(fixture->translator);
    translator_tick(fixture->translator, fixture->now, &fixture->sink);
}

/* Assistant message A, answering `user`, with an open text part T. */
static inline void fixture_answer(struct fixture *fixture, const char *user)
{
    char text[512];

    snprintf(text, sizeof(text),
             "{'type':'message.updated','properties':{'sessionID':'P','info':{'id':'A-%s',"
             "'role':'assistant','sessionID':'P','parentID':'%s'}}}",
             user, user);
    fixture_feed(fixture, text);
    snprintf(text, sizeof(text),
             "{'type':'message.part.updated','properties':{'sessionID':'P','part':{'id':'T-%s',"
             "'messageID':'A-%s','sessionID':'P','type':'text','text':''}}}",
             user, user);
    fixture_feed(fixture, text);
}

static inline void fixture_delta(struct fixture *fixture, const char *delta)
{
    char text[512];

    snprintf(text, sizeof(text),
             "{'type':'message.part.delta','properties':{'sessionID':'P','messageID':'A-U',"
             "'partID':'T-U','field':'text','delta':'%s'}}",
             delta);
    fixture_feed(fixture, text);
}

#define FIXTURE_IDLE "{'type':'session.idle','properties':{'sessionID':'P'}}"
#define FIXTURE_BUSY \
    "{'type':'session.status','properties':{'sessionID':'P','status':{'type':'busy'}}}"
#define FIXTURE_ABORTED                                                      \
    "{'type':'session.error','properties':{'sessionID':'P','error':{'name':" \
    "'MessageAbortedError','data':{'message':'Aborted'}}}}"
#define FIXTURE_ERROR(text)                                                             \
    "{'type':'session.error','properties':{'sessionID':'P','error':{'name':'APIError'," \
    "'data':{'message':'" text "'}}}}"

#endif
