/*
 * One page of OpenCode's message list, made small and safe to keep. Pure.
 */
#ifndef BRIDGE_OPENCODE_STORED_MESSAGES_H
#define BRIDGE_OPENCODE_STORED_MESSAGES_H

#include "common/err.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses `text[len]` (a NUL; it is written into). NULL and `err` when it is no list. With `cut`, the
 * text is the beginning of a list of one message: that comes with its `info` and no parts. */
cJSON *stored_messages_parse(char *text, size_t len, bool cut, struct err *err);

/* Drops what no prompt needs. Returns about how many bytes the rest takes. */
size_t stored_messages_prune(cJSON *messages);

/* The list reaches back to the beginning of the prompt with this user message, posted at `wall_ms`:
 * it holds that message, or one that a user sent before. */
bool stored_messages_reach(const cJSON *messages, const char *user_message_id, uint64_t wall_ms);

/* Puts `older` before `newer` and returns the whole; both are taken over. */
cJSON *stored_messages_join(cJSON *older, cJSON *newer);

#endif
