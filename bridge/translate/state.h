/*
 * The inside of a translator, shared by the files of this folder and by nobody else. translator.c
 * owns it; the others are given it and do one job each: emit.c sends, parts.c translates message
 * parts, messages.c tells whose they are, child_sessions.c does sub-tasks, turn.c ends the prompt,
 * alarms.c does so when it took too long, repair.c and repair_children.c read what OpenCode has
 * stored.
 */
#ifndef BRIDGE_TRANSLATE_STATE_H
#define BRIDGE_TRANSLATE_STATE_H

#include "bridge/translate/attribution.h"
#include "bridge/translate/held_parts.h"
#include "bridge/translate/prompt_policy.h"
#include "bridge/translate/subtasks.h"
#include "bridge/translate/text_parts.h"
#include "bridge/translate/translator.h"

/* Dedupe keys; when the oldest is forgotten, a repeated state is sent again, which is harmless. */
#define TRANSLATOR_TOOL_KEYS_MAX 8192
#define TRANSLATOR_ERRORS_MAX 256

struct translator {
    char *session; /* `parent` */
    char *last_title;
    bool last_prompt_unsettled; /* it did not end by idle: its late events may still come (D-02) */

    /* Of the call that is running. */
    const struct translator_sink *sink;
    uint64_t now;

    /* Of the prompt. */
    char *message_id; /* the control plane's (`mid`) */
    struct prompt_policy policy;
    struct attribution attribution;
    struct subtasks subtasks;
    struct held_parts held;
    struct text_parts texts;
    struct id_table tools;  /* keys of sent tool calls (B-551, D-06) */
    struct id_table errors; /* sent parent error texts (B-561) */
    unsigned compactions;   /* of the parent session that were heard of */
    unsigned error_count;   /* of sent `error` events, for their ackIds (D-13) */
    char *overflow;         /* a context overflow that OpenCode may still heal (B-563) */
    char *early_error;      /* of a session.error that may be the last prompt's */
    char *last_error;       /* the last parent error's text: decides failure (D-04) */
    char *failure;          /* the turn was ended by us: the completion's text */
    bool has_output;
    bool finished_by_idle;
    bool had_gap; /* the stream broke: parts may come again, and from the stored messages */
    bool said_parts_dropped;
    bool said_activity_dropped;
    enum translator_result result;
    char *result_error;
};

/* Where a part belongs. `session` and `message_id` may be "". */
struct part_origin {
    const char *session;
    const char *message_id;
    bool is_subtask;
};

/* --- emit.c ------------------------------------------------------------------------------- */

/* {"type": type, "messageId": mid}, or NULL. */
cJSON *emit_new(const struct translator *t, const char *type);

/* Sends the waiting text, then the event, and takes it over. NULL is nothing. */
void emit_event(struct translator *t, cJSON *event);

/* The same for an `error`, which gets its ackId. */
void emit_error(struct translator *t, cJSON *event, const char *text);

void emit_waiting_text(struct translator *t);

/* The part's text changed: a token now, or when its time has come. */
void emit_text(struct translator *t, struct text_part *part);
void emit_text_now(struct translator *t, struct text_part *part);

/* A log line with the message id and these fields; one without a value is left out. */
struct note_field {
    const char *key;
    const char *text;
    uint64_t number;
    bool has_number, has_boolean, boolean;
};
#define NOTE_TEXT(name, value)         \
    {                                  \
        .key = (name), .text = (value) \
    }
#define NOTE_BOOL(name, value)                                 \
    {                                                          \
        .key = (name), .boolean = (value), .has_boolean = true \
    }
#define NOTE_NUM(name, value)                                \
    {                                                        \
        .key = (name), .number = (value), .has_number = true \
    }
void emit_note_of(struct translator *t, enum log_level level, const char *name,
                  const struct note_field *fields, size_t count);
#define EMIT_NOTE(t, level, name, ...)                                           \
    emit_note_of((t), (level), (name), (const struct note_field[]){__VA_ARGS__}, \
                 sizeof((const struct note_field[]){__VA_ARGS__}) / sizeof(struct note_field))

/* A log line with at most one text field (key NULL: none). */
void emit_note(struct translator *t, enum log_level level, const char *name, const char *key,
               const char *value);

/* Adds B-559's fields. `task` may be NULL. */
void emit_mark_subtask(cJSON *event, const char *child, const char *task);

/* --- parts.c ------------------------------------------------------------------------------ */

/* Translates one part of an authorised message (B-540..B-559). Takes members out of `part`. */
void parts_translate(struct translator *t, cJSON *part, const cJSON *delta,
                     const struct part_origin *origin);

/* An earlier state of this call was sent: what became of it is owed. */
bool parts_has_begun(struct translator *t, const cJSON *part, const struct part_origin *origin);

/* message.part.delta of an authorised message of the parent (D-01). */
void parts_apply_delta(struct translator *t, const cJSON *properties);

/* B-545: translates what is held of a message. */
void parts_drain(struct translator *t, const char *message_id, bool is_subtask);

/* Holds a part or a delta (B-549); takes `item`'s JSON over. */
void parts_hold(struct translator *t, const char *message_id, const struct held_part *item);

/* --- messages.c --------------------------------------------------------------------------- */

void messages_on_updated(struct translator *t, const cJSON *properties);

/* A user's or an assistant's message of the parent session, heard of or stored. The verdict is an
 * assistant's. */
void messages_see_user(struct translator *t, const cJSON *info);
enum attribution_verdict messages_see_assistant(struct translator *t, const cJSON *info);
void messages_on_part_updated(struct translator *t, cJSON *properties, size_t size);
void messages_on_part_delta(struct translator *t, cJSON *properties, size_t size);

/* --- child_sessions.c --------------------------------------------------------------------- */

/* `parent`: the session that started it, ours or a child of ours. */
void child_sessions_track(struct translator *t, const char *child, const char *parent,
                          const char *source);
void child_sessions_on_message(struct translator *t, const char *child, const cJSON *info);
void child_sessions_on_error(struct translator *t, const char *child, const cJSON *error);

/* B-547 steps 1, 3 and 4 around a task part of the parent. `*child` is for step 3, or NULL. */
void child_sessions_associate(struct translator *t, const cJSON *part, const char *session,
                              const char **child);
void child_sessions_release(struct translator *t, const char *child);
void child_sessions_close(struct translator *t, const cJSON *part);

/* B-572: whatever waits goes out without an owner. */
void child_sessions_flush(struct translator *t);

/* --- turn.c ------------------------------------------------------------------------------- */

/* B-561. `text` NULL: "Unknown error". */
void turn_parent_error(struct translator *t, const char *text);
void turn_recall_error(struct translator *t, const char *text);
void turn_on_session_error(struct translator *t, const cJSON *properties);
void turn_on_session_idle(struct translator *t);
void turn_on_session_compacted(struct translator *t);
void turn_on_compacted(struct translator *t);
void turn_see_life(struct translator *t);
void turn_see_busy(struct translator *t);

/* The turn is over by idle (B-575). */
void turn_finish(struct translator *t);

/* The turn is over by us: completion with `text` after abort and final fetch (B-590..B-592). */
void turn_break_off(struct translator *t, const char *text, const char *abort_reason,
                    uint64_t limit_ms);

/* OpenCode does not go on with the turn: completion with `text` at once. */
void turn_abandon(struct translator *t, const char *text);

/* The early error proved to be this prompt's. */
void turn_apply_early_error(struct translator *t);

/* The completion, by failure, errors and output; exactly once (B-314, B-315). */
void turn_complete(struct translator *t);

/* --- alarms.c ----------------------------------------------------------------------------- */

/* The clock of `alarm` has run out; PROMPT_ALARM_NONE does nothing. */
void alarms_raise(struct translator *t, enum prompt_alarm alarm);

/* --- repair.c ----------------------------------------------------------------------------- */

/* B-583, B-584, D-10: what of the fetched list is missing or different. */
void repair_from_messages(struct translator *t, cJSON *messages);

/* The same in the middle of a prompt, and what follows for it. See translator_resync(). */
bool resync_from_messages(struct translator *t, const struct translator_stored *stored);

/* --- title.c ------------------------------------------------------------------------------ */

/* B-580. */
void title_on_session_updated(struct translator *t, const cJSON *properties);

#endif
