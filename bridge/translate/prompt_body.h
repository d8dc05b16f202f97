/*
 * The body of POST /session/:id/prompt_async (B-601..B-606, D-25) and the ids of user messages
 * (B-620). Pure: clock and randomness are arguments.
 */
#ifndef BRIDGE_TRANSLATE_PROMPT_BODY_H
#define BRIDGE_TRANSLATE_PROMPT_BODY_H

#include <cJSON.h>
#include <stdint.h>

/* "msg_", 12 hex digits, 14 random characters. */
#define PROMPT_MESSAGE_ID_LENGTH 30
#define PROMPT_MESSAGE_ID_RANDOM_BYTES 14

/* Counts the ids of one millisecond; zero-initialised, one per process. */
struct message_ids {
    uint64_t last_ms;
    uint64_t count;
};

/* Writes the id and a NUL. `random` chooses the last characters:
 * each byte counts modulo 62, which favours a few letters slightly; ids need to differ, not to be
 * secret. */
void message_ids_next(struct message_ids *ids, uint64_t wall_ms,
                      const uint8_t random[PROMPT_MESSAGE_ID_RANDOM_BYTES],
                      char out[PROMPT_MESSAGE_ID_LENGTH + 1]);

/* What the body is made of. NULL and "" both mean: not given. */
struct prompt_body_input {
    const char *message_id; /* the generated one */
    const char *content;
    const char *model;            /* "provider/model" or a bare Anthropic model (B-603) */
    const char *reasoning_effort; /* only used with a model (B-604) */
    cJSON *file_parts; /* array of B-720's parts, in order; moved into the body; or NULL */
};

/* B-720: a file part with its contents as a data URL. `base64` is padded, one line. NULL when out of
 * memory. */
cJSON *prompt_body_file_part(const char *name, const char *mime, const char *base64);

/* The body for the caller to delete; NULL when out of memory (file_parts are then deleted too). */
cJSON *prompt_body_build(const struct prompt_body_input *input);

#endif
