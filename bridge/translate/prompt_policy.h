/*
 * When a prompt starts, lives, settles and ends: its phases and its clocks (B-575, B-590..B-592,
 * D-02, D-11). Pure; knows nothing of events and texts.
 */
#ifndef BRIDGE_TRANSLATE_PROMPT_POLICY_H
#define BRIDGE_TRANSLATE_PROMPT_POLICY_H

#include "bridge/translate/translator.h"

enum prompt_phase {
    PROMPT_DONE,      /* none began, or it is complete */
    PROMPT_PREPARING, /* taken up, nothing asked of OpenCode yet */
    PROMPT_STREAMING, /* from just before the post: events count */
    PROMPT_SETTLING,  /* idle came, but nothing was said: an error may follow, or the real work */
    PROMPT_FETCHING,  /* the turn is over for us; the final fetch decides what is missing */
};

struct prompt_policy {
    struct translator_limits limits;
    enum prompt_phase phase;
    bool accepted;    /* POST prompt_async was answered with success */
    bool alive;       /* OpenCode showed that it has this prompt (D-02) */
    bool works;       /* and that it works on it: storing it is not all */
    bool asking;      /* what OpenCode does meanwhile, because it did not */
    bool error_early; /* an error came before that, maybe the last prompt's */
    uint64_t started_ms;
    uint64_t heard_ms;
    uint64_t session_heard_ms; /* an event of the prompt's session or of one below it */
    uint64_t accepted_ms;
    uint64_t early_ms;       /* when the last early thing came */
    uint64_t answered_ms;    /* when OpenCode last said what it does */
    uint64_t phase_until_ms; /* end of PROMPT_SETTLING or PROMPT_FETCHING */
    uint64_t fetch_limit_ms;
    struct translator_wants wants;
};

enum prompt_idle { PROMPT_IDLE_IGNORED, PROMPT_IDLE_SETTLING, PROMPT_IDLE_FINISHED };

enum prompt_alarm {
    PROMPT_ALARM_NONE,
    PROMPT_ALARM_INACTIVE,     /* B-590 */
    PROMPT_ALARM_SILENT,       /* D-23's second limit */
    PROMPT_ALARM_TOO_LONG,     /* B-591 */
    PROMPT_ALARM_SETTLED,      /* nothing followed the idle: finish */
    PROMPT_ALARM_EARLY_ERROR,  /* nothing followed the early error: it was this prompt's */
    PROMPT_ALARM_NEVER_ALIVE,  /* accepted, and no work since: ask what became of the prompt */
    PROMPT_ALARM_FETCH_MISSED, /* the final fetch takes too long: finish without it */
};

void prompt_policy_begin(struct prompt_policy *policy);
void prompt_policy_start(struct prompt_policy *policy, uint64_t now);
void prompt_policy_accept(struct prompt_policy *policy, uint64_t now);

/* Events of the session count for the prompt. */
bool prompt_policy_is_listening(const struct prompt_policy *policy);

/* What the stream said lately was not read: nothing follows from its silence. */
void prompt_policy_not_listening(struct prompt_policy *policy, uint64_t now);

/* OpenCode took up this prompt. True the first time. */
bool prompt_policy_see_life(struct prompt_policy *policy);

/* There is an answer to it. */
void prompt_policy_see_work(struct prompt_policy *policy);

/* The session is busy: that is life once the post was answered, and ends settling, for the idle was
 * another turn's. (Only busy does: OpenCode rewrites the user message after the last idle.) */
bool prompt_policy_see_busy(struct prompt_policy *policy);

/* The session is idle. `said_something`: output or an error is known. */
enum prompt_idle prompt_policy_see_idle(struct prompt_policy *policy, bool said_something,
                                        uint64_t now);

/* An error came that may be the last prompt's. True when it has to wait for proof (D-02). */
bool prompt_policy_doubts_error(struct prompt_policy *policy, bool last_prompt_unsettled,
                                uint64_t now);

/* The turn is over: ask for the final fetch, and first for an abort if there is a reason. */
void prompt_policy_fetch(struct prompt_policy *policy, const char *abort_reason, uint64_t limit_ms,
                         uint64_t now);

/* Nothing shows that OpenCode works on the prompt: ask it. No alarm of that until it has answered. */
void prompt_policy_ask(struct prompt_policy *policy);

/* It has, or it cannot be asked. True when it still matters. The alarm is set anew. */
bool prompt_policy_see_answer(struct prompt_policy *policy, uint64_t now);

void prompt_policy_end(struct prompt_policy *policy);

/* The next time something has to happen; UINT64_MAX: never. */
uint64_t prompt_policy_deadline(const struct prompt_policy *policy);
enum prompt_alarm prompt_policy_check(const struct prompt_policy *policy, uint64_t now);

#endif
