/*
 * Prompts that wait for their turn, first in first out, at most PROMPT_QUEUE_MAX (decision 6). Pure.
 * Owns the commands in it.
 */
#ifndef BRIDGE_PROMPT_PROMPT_QUEUE_H
#define BRIDGE_PROMPT_PROMPT_QUEUE_H

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define PROMPT_QUEUE_MAX 16

struct prompt_queue {
    cJSON *commands[PROMPT_QUEUE_MAX];
    size_t first;
    size_t count;
};

/* Takes the command over and returns 0, or -1 when the queue is full; it stays the caller's then. */
int prompt_queue_add(struct prompt_queue *queue, cJSON *command);

/* The oldest, for the caller to delete, or NULL. */
cJSON *prompt_queue_take(struct prompt_queue *queue);

/* A command with this message id waits. */
bool prompt_queue_has(const struct prompt_queue *queue, const char *message_id);

void prompt_queue_clear(struct prompt_queue *queue);

#endif
