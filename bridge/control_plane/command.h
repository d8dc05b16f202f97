/*
 * What the control plane asks for (bridge.md section 3), both contracts. Pure. A struct command
 * owns its JSON; all strings of it and of struct prompt_command point into that.
 */
#ifndef BRIDGE_CONTROL_PLANE_COMMAND_H
#define BRIDGE_CONTROL_PLANE_COMMAND_H

#include "common/err.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

enum command_type {
    COMMAND_UNKNOWN,
    COMMAND_PROMPT,
    COMMAND_STOP,
    COMMAND_SNAPSHOT,
    COMMAND_SHUTDOWN,
    COMMAND_PUSH,
    COMMAND_ACK,
    COMMAND_REFRESH_DIFF,
    COMMAND_GIT_SYNC_COMPLETE,
    COMMAND_TYPE_COUNT
};

struct command {
    enum command_type type;
    cJSON *body; /* an object */
};

/* The message id of a prompt that has none (B-310). */
#define COMMAND_NO_MESSAGE_ID "unknown"

/* B-310, B-311. Absent texts are NULL, the content is "". */
struct prompt_command {
    const char *message_id;
    const char *content;
    const char *model;
    const char *reasoning_effort;
    const cJSON *author;
    const cJSON *attachments; /* of any type (B-701) */
};

/* Why a message is no command (B-216). */
enum { COMMAND_NO_JSON = -1, COMMAND_NO_OBJECT = -2 };

/* Parses one message; `text` is overwritten and `text[len]` must be writable. Returns 0, or why it is
 * no command. */
int command_parse(char *text, size_t len, struct command *command, struct err *err);
void command_clear(struct command *command);

/* "prompt", ...; the name that was sent is in the body. */
const char *command_type_name(enum command_type type);

struct prompt_command command_prompt(const cJSON *body);

/* Only the current contract has this shape, and its control planes acknowledge. */
bool command_shows_current_contract(const struct command *command);

#endif
