/*
 * What prompt_run.c and the files of its work share: prompt_intake.c, prompt_calls.c, prompt_resync.c,
 * prompt_status.c. Nobody else includes this.
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

struct prompt_run {
    uv_timer_t timer; /* the wait for OpenCode, or the translator's deadline */
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
    struct http_request *abort;
    struct message_pages *fetch; /* the final one */
    struct http_request *status;
    const char *abort_reason;
    bool fetch_after_abort;
    uint64_t fetch_at_ms; /* the final fetch is tried again; UINT64_MAX: no */
    unsigned fetch_count; /* that failed */

    /* prompt_resync.c: events were missed, and what became of the prompt is not known yet. */
    bool missed;
    bool resync_saw_idle;     /* the messages are read after OpenCode said that it is idle */
    uint64_t resync_until_ms; /* then the prompt is given up */
    uint64_t resync_at_ms;    /* not tried again before */
    struct message_pages *pages;
    struct http_request *resync;
    struct http_request *asked;
    cJSON *stored_messages;
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
void prompt_calls_abort(struct prompt_run *run, const char *reason, bool then_fetch);
void prompt_calls_fetch(struct prompt_run *run);

/* Where the current prompt runs; the last one's session when there is none. NULL: nowhere yet. */
const char *prompt_calls_session(const struct prompt_run *run);

/* prompt_resync.c. Events of the current prompt were missed: it waits for the event stream. */
void prompt_resync_wait(struct prompt_run *run);

/* The current prompt was posted by an earlier bridge. */
void prompt_resync_take_over(struct prompt_run *run, const struct journal_prompt *record);

/* Asks OpenCode what was missed, as soon as it can be asked. */
void prompt_resync_advance(struct prompt_run *run);
uint64_t prompt_resync_deadline(const struct prompt_run *run);
void prompt_resync_tick(struct prompt_run *run, uint64_t now);
void prompt_resync_drop(struct prompt_run *run);

/* prompt_status.c. Asks whether OpenCode works on the prompt it took, for the translator. */
void prompt_status_ask(struct prompt_run *run);

/* Drops what belongs to the current prompt alone: its preparation, and what is asked for it. */
void prompt_calls_drop(struct prompt_run *run);

/* The journal's record of the current prompt, if an earlier bridge posted it. */
const struct journal_prompt *prompt_run_posted_record(const struct prompt_run *run);

#endif
