/*
 * A prompt that an earlier bridge posted and did not see the end of: what OpenCode has of it is
 * turned into the events that were missed, so that the translator can go on as if it had heard
 * them. Pure. Steps are left out: the control plane adds their cost up, and may have had them.
 */
#ifndef BRIDGE_PROMPT_TAKEOVER_H
#define BRIDGE_PROMPT_TAKEOVER_H

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* The event is the callee's. */
typedef void takeover_event_fn(void *user, cJSON *event);

enum takeover_verdict {
    TAKEOVER_NOT_POSTED, /* OpenCode never got it: post it anew */
    TAKEOVER_RUNNING,    /* OpenCode works on it: listen */
    TAKEOVER_ENDED,      /* the session is idle: finish it from the messages */
    TAKEOVER_ABANDONED,  /* idle, but an answer has no end: OpenCode was restarted meanwhile */
};

struct takeover {
    const char *session_id;
    const char *user_message_id;
    uint64_t started_wall_ms;
    const cJSON *messages; /* GET /session/:id/message */
    const cJSON *status;   /* GET /session/status; anything but an object: not known */
};

/* Replays the prompt's messages into `on_event` unless it was never posted. */
enum takeover_verdict takeover_replay(const struct takeover *takeover, takeover_event_fn *on_event,
                                      void *user);

#endif
