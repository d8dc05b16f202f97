/*
 * What prompt_run.c and the files of its work share: prompt_intake.c, prompt_calls.c, prompt_abort.c,
 * prompt_asks.c, prompt_children.c, prompt_resync.c, prompt_silence.c, prompt_status.c. Nobody else includes this.
 */
#ifndef BRIDGE_PROMPT_PROMPT_RUN_PRIVATE_H
#define BRIDGE_PROMPT_PROMPT_RUN_PRIVATE_H

#include "bridge/control_plane/command.h"
#include "bridge/opencode/message_pages.h"
#include "bridge/prompt/prompt_queue.h"
#include "bridge/prompt/prompt_run.h"
#include "bridge/translate/prompt_body.h"

enum prompt_step {
    PROMPT_STEP_NONE,
    PROMPT_STEP_WAITING,
    PROMPT_STEP_CREATING,
    PROMPT_STEP_POSTING,
    PROMPT_STEP_TAKING_OVER,
    PROMPT_STEP_RUNNING,
};

/* prompt_asks.c: what OpenCode asked during the current prompt and was not refused yet. */
struct prompt_ask;
struct prompt_asks {
    struct prompt_ask *first;
    unsigned count;
    bool are_more; /* than are refused at the same time */
    /* What waits for an answer is listed, permissions first. */
    struct http_request *list;
    enum translator_ask_kind list_kind;
    unsigned list_tries;
    uint64_t list_at_ms; /* another try; UINT64_MAX: none is waited for */
};

struct prompt_run;
typedef void prompt_children_fn(struct prompt_run *run);

struct prompt_run {
    uv_timer_t timer; /* the wait for OpenCode, or the translator's deadline */
    uint64_t timer_due_ms;
    struct prompt_run_options options;
    struct translator *translator;
    struct translator_sink sink;
    struct prompt_queue queue;
    struct message_ids ids;
    bool opencode_ready;
    bool holding; /* the next prompt is not begun */
    bool ending;  /* the process ends */

    /* The current prompt; `command` is NULL when there is none. */
    cJSON *command;
    struct prompt_command prompt; /* points into it */
    enum prompt_step step;
    uint64_t begun_ms;
    uint64_t wait_until_ms;
    uint64_t heard_ms; /* the last sign of life of the stream that the translator knows */
    uint64_t skipped;  /* events of the stream that were too long, before this prompt */
    bool takes_over;
    bool posted_twice; /* D-29's second try was used */
    bool aborted;      /* OpenCode was asked to break it off */
    char user_message_id[PROMPT_MESSAGE_ID_LENGTH + 1];
    uint64_t posted_wall_ms;
    struct prompt_preparation *preparation; /* until the post takes what it made */

    /* Calls under way. A post can outlive its prompt: its abort has to wait for the answer. */
    struct http_request *post;
    struct prompt_upload *upload; /* its body */
    struct message_pages *fetch;  /* the final one */
    struct http_request *status;
    uint64_t fetch_at_ms; /* the final fetch is tried again; UINT64_MAX: no */
    unsigned fetch_count; /* that failed */
    cJSON *fetched_messages;

    /* prompt_abort.c. It outlives the prompt, and the next one waits for it. */
    struct http_request *abort;
    struct http_request *abort_status; /* whether it helped */
    char *abort_session;
    const char *abort_reason;
    bool fetch_after_abort;
    char *posted_session; /* of the last prompt */
    bool may_begin;       /* it was posted, and was not seen to work */
    bool abort_met_post;  /* the one under way was sent while a post was: it may stop nothing */
    bool abort_again;     /* once the one under way is answered */
    bool abort_for_good;  /* until OpenCode says that the session is idle */
    unsigned abort_count; /* sent for the same purpose */
    uint64_t abort_at_ms; /* another one is sent; UINT64_MAX: no */

    struct prompt_asks asks;

    /* prompt_resync.c: events were missed, and what became of the prompt is not known yet. */
    bool missed;
    bool resync_saw_idle;     /* the messages are read after OpenCode said that it is idle */
    uint64_t resync_until_ms; /* then the prompt is given up */
    uint64_t resync_at_ms;    /* not tried again before */
    struct message_pages *pages;
    struct http_request *resync;
    cJSON *stored_messages;
    cJSON *stored_status;

    /* prompt_children.c */
    bool children_missed; /* what they did in a gap may not be known */
    cJSON *children;      /* ids of the sessions that are being read, in order */
    int children_read;
    uint64_t children_until_ms; /* then the rest is left out; UINT64_MAX: nothing is read */
    struct message_pages *children_pages;
    prompt_children_fn *children_then;
};

uint64_t prompt_run_now(const struct prompt_run *run);

/* After each call of the translator: does what it wants, and finishes the prompt when it is done. */
void prompt_run_follow_up(struct prompt_run *run);

/* Says so when nothing is under way. */
void prompt_run_tell_quiet(struct prompt_run *run);

/* Takes the next prompt from the queue, unless one runs. */
void prompt_run_begin_next(struct prompt_run *run);

/* Ends a prompt that never became the current one. */
void prompt_run_complete_unrun(struct prompt_run *run, const cJSON *command, const char *error);

void prompt_run_set_step(struct prompt_run *run, enum prompt_step step);

/* prompt_intake.c. The current prompt has what it needs before OpenCode gets it; begins to see to
 * that if need be. False also when the prompt has failed for it. */
bool prompt_run_is_prepared(struct prompt_run *run);

/* Sets the limit of the wait for OpenCode anew. */
void prompt_run_set_wait(struct prompt_run *run);

/* prompt_calls.c. Each starts one call; its end comes back into the functions above. */
void prompt_calls_post(struct prompt_run *run);
void prompt_calls_fetch(struct prompt_run *run);

/* Where the current prompt runs; the last one's session when there is none. NULL: nowhere yet. */
const char *prompt_calls_session(const struct prompt_run *run);

/* prompt_abort.c. Breaks off what the session does, in the background; does nothing when an abort is
 * under way that does the same. */
void prompt_abort_send(struct prompt_run *run, const char *reason, bool then_fetch);

/* The same, and sees to it that OpenCode did: a few more are sent while the session works. */
void prompt_abort_for_good(struct prompt_run *run, const char *reason);

/* The next prompt has to wait. */
bool prompt_abort_is_under_way(const struct prompt_run *run);

/* Each event of the stream: what was stopped may begin after it. */
void prompt_abort_on_event(struct prompt_run *run, const cJSON *event);
void prompt_abort_tick(struct prompt_run *run, uint64_t now);
void prompt_abort_hurry(struct prompt_run *run); /* the process ends: a last one, now */
void prompt_abort_drop(struct prompt_run *run);

/* prompt_asks.c. Nobody is there to answer (D-23): says no, again and again if need be, and fails the
 * prompt when OpenCode does not take it. May be called by the translator. */
void prompt_asks_reject(struct prompt_run *run, enum translator_ask_kind kind, const char *id);

/* Asks OpenCode what waits for an answer, for the translator. */
void prompt_asks_list(struct prompt_run *run);
uint64_t prompt_asks_deadline(const struct prompt_run *run);
void prompt_asks_tick(struct prompt_run *run, uint64_t now);
void prompt_asks_drop(struct prompt_run *run);

/* prompt_resync.c. Events of the current prompt were missed: it waits for the event stream. */
void prompt_resync_wait(struct prompt_run *run);

/* The current prompt was posted by an earlier bridge. */
void prompt_resync_take_over(struct prompt_run *run, const struct journal_prompt *record);

/* Asks OpenCode what was missed, as soon as it can be asked. */
void prompt_resync_advance(struct prompt_run *run);
uint64_t prompt_resync_deadline(const struct prompt_run *run);
void prompt_resync_tick(struct prompt_run *run, uint64_t now);
void prompt_resync_drop(struct prompt_run *run);

/* The final fetch begins: what it brings is newer than what a resync would, which ends here. */
void prompt_resync_overtaken(struct prompt_run *run);

/* prompt_children.c. Reads what the children did that these messages tell of, if there was a gap, and
 * calls `then`. At most one reading at a time: a new one takes the place of the other. */
void prompt_children_read(struct prompt_run *run, const cJSON *messages, prompt_children_fn *then);
void prompt_children_tick(struct prompt_run *run, uint64_t now);
void prompt_children_drop(struct prompt_run *run);

/* prompt_silence.c. Before the translator's limits are looked at. */
void prompt_silence_tick(struct prompt_run *run, uint64_t now);

/* prompt_status.c. Asks whether OpenCode works on the prompt it took, for the translator. */
void prompt_status_ask(struct prompt_run *run);

/* Drops what belongs to the current prompt alone: its preparation, and what is asked for it. */
void prompt_calls_drop(struct prompt_run *run);

/* The journal's record of the current prompt, if an earlier bridge posted it. */
const struct journal_prompt *prompt_run_posted_record(const struct prompt_run *run);

#endif
