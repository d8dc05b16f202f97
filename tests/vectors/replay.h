/*
 * Replaying recorded prompts through the translator without any process or clock: the simulated
 * bridge feeds the steps of a vector (bridge.md section 15) or the lines of a trace, lets virtual
 * time pass only where the recording says so or where nothing else can happen, answers what the
 * translator wants, and collects what it emits.
 */
#ifndef TESTS_VECTORS_REPLAY_H
#define TESTS_VECTORS_REPLAY_H

#include "bridge/translate/prompt_body.h"
#include "bridge/translate/translator.h"
#include "net/sse_parser.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define SIM_MESSAGE_ID_MAX 256

struct sim {
    struct translator *translator;
    struct translator_sink sink;
    struct sse_parser parser;
    uint64_t now;
    uint64_t wall_ms;
    cJSON *events;   /* array: what was emitted */
    cJSON *requests; /* array of strings: "POST /session/x/abort" */
    cJSON *asks;     /* array of strings: "permission per_1" */

    /* What the simulated OpenCode answers. */
    const char *session;
    bool is_idle; /* the stream said so: GET /session/status lists nothing then */
    const char *user_id;
    cJSON *messages;  /* the final fetch's list; NULL: it fails */
    bool abort_hangs; /* nothing after an abort is ever answered */
};

/* `limits` NULL: the defaults with a token interval of 0. */
void sim_init(struct sim *sim, const struct translator_limits *limits, const char *session);
void sim_free(struct sim *sim);

/* Bytes of the event stream; then does what the translator wants. */
void sim_bytes(struct sim *sim, const char *bytes, size_t len);

/* One event of the stream as a frame of its own. */
void sim_event(struct sim *sim, const cJSON *event);

/* Does what the translator wants, with the answers given in the struct. */
void sim_serve(struct sim *sim);

/* Lets time pass, ticking at each deadline on the way. */
void sim_advance(struct sim *sim, uint64_t ms);

/* Lets time pass until the prompt is complete. False: nothing would ever complete it. */
bool sim_run_out(struct sim *sim);

void sim_request(struct sim *sim, const char *method, const char *path);

/* A copy of `value` with "$USER_MSG" and "$T+n" replaced. */
cJSON *vector_fill(const struct sim *sim, const cJSON *value);

/* Replaces the first "$I" of each string. */
void vector_fill_index(cJSON *value, const char *index);

/* Returns the length. `out` needs room for strlen(text) bytes. */
size_t vector_decode_base64(const char *text, char *out);

/* Runs a vector. Returns an empty string, or what differs (for the caller to free). `repaired` is
 * the entry of repaired.json for it, or NULL. What came out is appended to `printed`, unless NULL. */
char *vector_run(const cJSON *vector, const cJSON *repaired, struct buf *printed);

/* Runs a trace, `lines` being the whole .jsonl; `test_case` is its .case.json. As vector_run. */
char *trace_run(const char *lines, const cJSON *test_case, struct buf *printed);

/* The compact form in which traces state what they expect: one string an event. */
cJSON *trace_summary(const cJSON *events, const cJSON *asks);

#endif
