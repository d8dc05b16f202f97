/*
 * What the journal remembers: critical events that are owed to the control plane, prompts that were
 * taken and not completed, and pushes that were begun and not answered. Pure: the same functions
 * follow the running process and rebuild the state from a file.
 *
 * As text it is one record a line, "<CRC-32 of the rest, 8 hex digits> <JSON>\n":
 *
 *   {"op":"owner","sandboxId":S,"sessionId":S}     first line: whose journal this is
 *   {"op":"event","ackId":A,"event":{...}}         owed from now on
 *   {"op":"sent","ackId":A}                        handed to a connection
 *   {"op":"gone","ackId":A}                        acknowledged or given up
 *   {"op":"acks"}                                  this control plane acknowledges
 *   {"op":"prompt","messageId":M,"command":{...}}  taken
 *   {"op":"posted","messageId":M,"sessionId":S,"userMessageId":U,"startedMs":T}
 *   {"op":"erred","messageId":M,"error":T}         an error event of it was made; null: a sub-task's
 *   {"op":"ended","messageId":M}
 *   {"op":"push","pushId":P,"event":{...}}         begun; the event answers it if nothing else does
 *
 * An `error` event of a prompt implies its "erred", which stands by itself only in a rewritten file.
 * The event `execution_complete:<M>` ends prompt M by itself, `push_complete:<P>` or `push_error:<P>`
 * push P: one record, so that no crash can fall between the two. A line that is damaged or not known
 * is skipped.
 */
#ifndef BRIDGE_JOURNAL_JOURNAL_CONTENTS_H
#define BRIDGE_JOURNAL_JOURNAL_CONTENTS_H

#include "common/buf.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far above what is owed in practice; past it, new records are refused,
 * and what they say does not outlive a crash. */
#define JOURNAL_CONTENTS_MAX_BYTES ((size_t)8 * 1024 * 1024)

/* Errors of one prompt that are remembered; far more than a prompt has. */
#define JOURNAL_ERRORS_MAX 16

struct journal_event {
    struct journal_event *next;
    char *ack_id;
    char *text; /* the event's JSON */
    bool sent;
};

struct journal_prompt {
    struct journal_prompt *next;
    char *message_id;
    char *command; /* JSON */
    /* Set when it was about to be posted to OpenCode: */
    char *session_id; /* or NULL */
    char *user_message_id;
    uint64_t started_wall_ms;
    /* Texts of its error events, null for a sub-task's; NULL: none. A bridge that takes the prompt
     * over must not tell them again. */
    cJSON *errors;
};

struct journal_push {
    struct journal_push *next;
    char *push_id;
    char *event; /* JSON; no credentials */
};

struct journal_contents {
    struct journal_event *events;   /* oldest first */
    struct journal_prompt *prompts; /* oldest first */
    struct journal_push *pushes;    /* oldest first */
    bool acks;
    size_t bytes; /* of the texts kept */
    bool is_full; /* a record was refused because it did not fit */
};

void journal_contents_clear(struct journal_contents *contents);

/* Applies one record. Returns -1 for one that is not known, malformed or does not fit. */
int journal_contents_apply(struct journal_contents *contents, const cJSON *record);

/* Applies every good line of a journal of this owner; another owner's journal counts as empty (a
 * snapshot restored as another sandbox owes nothing old). Returns how many lines were damaged. */
size_t journal_contents_read(struct journal_contents *contents, const char *text, size_t len,
                             const char *sandbox_id, const char *session_id);

/* A record with its "op" and one text; what else it says is added to it. The caller owns it. */
cJSON *journal_record_new(const char *op, const char *key, const char *value);

/* Appends one record's line. */
void journal_print_record(const cJSON *record, struct buf *out);

/* Appends the lines that rebuild `contents`, the owner's first. */
void journal_contents_print(const struct journal_contents *contents, const char *sandbox_id,
                            const char *session_id, struct buf *out);

#endif
