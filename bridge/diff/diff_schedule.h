/*
 * When a session's changes are captured (B-1030..B-1033): after each prompt and when the control
 * plane asks, never while a prompt runs, one at a time, and only the newest request counts. Pure: the
 * caller says what happened and asks what to do. A plain value; zeroed is the beginning.
 */
#ifndef BRIDGE_DIFF_DIFF_SCHEDULE_H
#define BRIDGE_DIFF_DIFF_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* Longer ones are told as null: the control plane takes 200 characters. */
#define DIFF_TRIGGER_MAX 200

struct diff_schedule {
    uint64_t requested, settled;        /* generations of requests */
    uint64_t activity;                  /* prompts begun so far */
    unsigned active;                    /* prompts running now */
    char trigger[DIFF_TRIGGER_MAX + 1]; /* of the newest request; "": none */
    bool unsupported;                   /* the control plane knows no diffs */
    bool closed;
    bool capturing; /* the three below are of that */
    uint64_t noted_requested, noted_activity;
    char noted_trigger[DIFF_TRIGGER_MAX + 1];
};

void diff_schedule_prompt_started(struct diff_schedule *schedule);
void diff_schedule_prompt_ended(struct diff_schedule *schedule);

/* `trigger` NULL: asked for by the control plane. */
void diff_schedule_request(struct diff_schedule *schedule, const char *trigger);

/* A capture is wanted and may begin now. */
bool diff_schedule_is_due(const struct diff_schedule *schedule);

/* It begins. */
void diff_schedule_begin(struct diff_schedule *schedule);

/* The one that began no longer shows the newest state, or is about to not to. */
bool diff_schedule_is_stale(const struct diff_schedule *schedule);

/* It ended. `answered`: the requests that it was for are done with, by whatever outcome; otherwise it
 * is thrown away, and they wait for the next. */
void diff_schedule_end(struct diff_schedule *schedule, bool answered);

/* No request is taken any more. */
void diff_schedule_set_unsupported(struct diff_schedule *schedule);
void diff_schedule_close(struct diff_schedule *schedule);

#endif
