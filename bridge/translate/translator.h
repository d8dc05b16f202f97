/*
 * The heart of the bridge: OpenCode's events in, the control plane's events out (bridge.md section
 * 5). Pure: no clock, no I/O, no environment, no log. One translator lives as long as the process
 * and sees every event of the one permanent event stream (D-49); it knows at most one prompt at a
 * time (D-16). Between prompts it only forwards titles.
 *
 * Life of a prompt, as its actor sees it:
 *
 *   translator_begin()      the command was taken; every later failure ends in one completion
 *   translator_start()      right before POST prompt_async: own user message id, clocks start
 *   translator_accepted()   POST answered 2xx      translator_fail()  it answered anything else
 *   translator_feed()       each event of the stream, from whatever session
 *   translator_heard()      each chunk of bytes of the stream
 *   translator_tick()       when translator_deadline() has come
 *   translator_take_wants() after any of these calls: what the actor has to do now
 *   translator_repair()     the answer to `wants.fetch`
 *   translator_on_gap()     the stream broke; then translator_resync() with what OpenCode has stored,
 *                           or translator_stream_lost() when the stream does not come back
 *   translator_see_status() the answer to `wants.status`
 *   translator_is_done()    the completion went out; read translator_outcome()
 *
 * The completion, `execution_complete`, is an event like the others and leaves through the sink: it
 * is the last event of its prompt and leaves exactly once.
 *
 * Memory: the translator owns all it keeps and copies texts it is given. Bounds and what happens
 * there: 2000 held parts and 4 MiB (B-549: dropped), 2000 child activities (B-546: dropped), 256
 * KiB a text or tool output (cut, marked: D-40), 8 MiB of text over all parts (oldest forgotten),
 * some thousand ids of each kind (oldest forgotten). Out of memory: the item is lost, the
 * translator stays consistent.
 *
 * Times are milliseconds; `now` is the monotonic clock and must not go back. Only one thread may
 * use a translator, and the sink must not call back into it.
 */
#ifndef BRIDGE_TRANSLATE_TRANSLATOR_H
#define BRIDGE_TRANSLATE_TRANSLATOR_H

#include "common/log.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct translator;

struct translator_limits {
    uint64_t token_interval_ms; /* least time between two tokens of a part; 0: every one (D-09) */
    uint64_t inactivity_ms;     /* without a byte of the stream (B-590) */
    uint64_t silence_ms;        /* without an event of this session; 0: no limit (D-23) */
    uint64_t max_duration_ms;   /* of the whole prompt (B-591) */
    uint64_t cleanup_ms;        /* abort and final fetch after the maximum duration (B-591) */
    uint64_t fetch_ms;          /* abort and final fetch in every other case */
    uint64_t settle_ms;         /* idle without output: wait this long for an error or for work */
    uint64_t alive_ms;          /* accepted, and no sign of work: ask after this long (D-02) */
};

/* B-105..B-107's defaults: 100, 120 s, none, 6300 s, 900 s, 60 s, 500, 30 s. */
extern const struct translator_limits TRANSLATOR_DEFAULT_LIMITS;

/* Something of this session waits for a human that a sandbox does not have (D-23). */
enum translator_ask_kind { TRANSLATOR_ASK_PERMISSION, TRANSLATOR_ASK_QUESTION };

/* Where results go. Every pointer but on_event may be NULL. */
struct translator_sink {
    void *user;

    /* An event without its envelope (sandboxId, timestamp). `event` is the callee's: it deletes it.
     * Critical ones carry their ackId (D-13). */
    void (*on_event)(void *user, cJSON *event);

    /* What deserves a log line: name and fields of bridge.md section 12. `fields` is an object or
     * NULL and stays the translator's. No prompt text is in it, error texts are. */
    void (*on_note)(void *user, enum log_level level, const char *name, const cJSON *fields);

    /* The actor answers it by rejecting: POST /permission/:id/reply {"reply":"reject"} or
     * POST /question/:id/reject. `id` lives during the call. */
    void (*on_ask)(void *user, enum translator_ask_kind kind, const char *id);
};

/* What the actor has to do. With both: abort first, fetch when the abort was answered or failed. */
struct translator_wants {
    const char *abort_reason; /* POST /session/:id/abort, best effort; NULL: no. A constant */
    bool fetch;               /* GET /session/:id/message, then translator_repair() */
    bool status;              /* GET /session/status, then translator_see_status() */
};

enum translator_result {
    TRANSLATOR_RUNNING,
    TRANSLATOR_SUCCEEDED,
    TRANSLATOR_FAILED,
    TRANSLATOR_CANCELLED,
};

struct translator_outcome {
    enum translator_result result;
    const char *error; /* the completion's text, or NULL; the translator's until the next begin */
    bool was_ended; /* failed by us or by what we met, not by an error of OpenCode's turn (B-316) */
};

/* NULL when out of memory. NULL limits: the defaults. */
struct translator *translator_new(const struct translator_limits *limits);
void translator_free(struct translator *translator);

/* The OpenCode session all prompts run in from now on (`parent` in B-531..); NULL: none yet.
 * During a prompt it may change only before translator_accepted() (D-29's second try). */
void translator_set_session(struct translator *translator, const char *session_id);

/* Takes up a prompt. Returns 0, or -1 when one is running (queueing is the actor's, D-16) or
 * memory is out. `message_id` is the control plane's (B-310). */
int translator_begin(struct translator *translator, const char *message_id, uint64_t now);

/* An earlier bridge sent this error of the prompt, or with NULL one of a sub-task: it counts, and is
 * not sent again. Between begin and start. */
void translator_recall_error(struct translator *translator, const char *text);

/* About to post: `user_message_id` is the generated one (B-620), `wall_ms` the wall clock (T0). May
 * be called again with another id for a second try. */
int translator_start(struct translator *translator, const char *user_message_id, uint64_t wall_ms,
                     uint64_t now);

void translator_accepted(struct translator *translator, uint64_t now);

/* One event of the stream: a parsed frame and the length of its text. The translator may take
 * members out of `event`; the caller deletes what remains. Any JSON value is accepted (D-07). */
void translator_feed(struct translator *translator, cJSON *event, size_t size, uint64_t now,
                     const struct translator_sink *sink);

/* Bytes arrived (B-524). */
void translator_heard(struct translator *translator, uint64_t now);

/* It is we who did not read, but stood still or had paused the stream: its silence meanwhile does not
 * count, and what it says of the end of a turn may wait unread. */
void translator_not_listening(struct translator *translator, uint64_t now);

/* The stream broke or ended and may come back: texts under way cannot be put together any more. What is
 * missing is known after translator_resync(). */
void translator_on_gap(struct translator *translator);

/* What OpenCode has stored of the session in which the prompt runs. */
struct translator_stored {
    cJSON *messages; /* oldest first, the prompt's at least; the translator may take members out */
    const cJSON *status; /* GET /session/status, parsed; anything but an object: not known */
    /* An earlier bridge may have sent steps: the control plane adds up what they cost. */
    bool omits_steps;
};

/* Adds to the array `found` the ids of the child sessions that ran in the prompt, as far as the stored
 * messages of `session` (the prompt's, or a child) tell; not one that is there already. */
void translator_find_children(struct translator *translator, const char *session,
                              const cJSON *messages, cJSON *found, uint64_t now,
                              const struct translator_sink *sink);

/* What such a child did and was not heard of is emitted; before the prompt itself is resynced or
 * repaired, which may end it. */
void translator_resync_child(struct translator *translator, const char *child,
                             const struct translator_stored *stored, uint64_t now,
                             const struct translator_sink *sink);

/* Makes good for what was not heard: emits what is missing of the prompt, ends it if OpenCode is done
 * with it or has lost it. False: OpenCode does not have the prompt (yet), and nothing was done. */
bool translator_resync(struct translator *translator, const struct translator_stored *stored,
                       uint64_t now, const struct translator_sink *sink);

/* Events of the session count for the prompt: it was started, and its end is not decided. */
bool translator_is_listening(const struct translator *translator);

/* The stream broke or ended for good, or posting the prompt failed below HTTP (B-592, D-11, D-46). */
void translator_stream_lost(struct translator *translator, uint64_t now,
                            const struct translator_sink *sink);

/* The prompt cannot go on: completion with this text, at once (B-316, B-593). */
void translator_fail(struct translator *translator, const char *text, uint64_t now,
                     const struct translator_sink *sink);

/* stop, shutdown, exit (B-319): completion "Task was cancelled", at once. The abort is the actor's.
 */
void translator_cancel(struct translator *translator, uint64_t now,
                       const struct translator_sink *sink);

/* The answer to wants.fetch: the parsed list, or NULL when there is none (B-515). Emits only what
 * is missing or different (D-10), then the completion. Ignored when not asked for. May take members
 * out of the list. */
void translator_repair(struct translator *translator, cJSON *messages, uint64_t now,
                       const struct translator_sink *sink);

/* The answer to wants.status, parsed, or NULL when there is none: the prompt goes on if OpenCode works
 * in its session, or if nobody knows; otherwise it ends with what is stored of it (D-02). */
void translator_see_status(struct translator *translator, const cJSON *status, uint64_t now,
                           const struct translator_sink *sink);

/* When translator_tick() wants to be called next; UINT64_MAX: not at all. Changes with each call. */
uint64_t translator_deadline(const struct translator *translator);
void translator_tick(struct translator *translator, uint64_t now,
                     const struct translator_sink *sink);

/* Each want is handed out once. */
struct translator_wants translator_take_wants(struct translator *translator);

/* No prompt is running: none began, or its completion went out. */
bool translator_is_done(const struct translator *translator);

struct translator_outcome translator_outcome(const struct translator *translator);

#endif
