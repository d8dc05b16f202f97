/*
 * Parts that wait until it is known whose message they belong to (B-548, B-549). In no recorded
 * trace did a part come before its message, but nothing promises it. Pure; owns the parts.
 *
 * Bounds: HELD_PARTS_MAX parts and HELD_PARTS_BYTES_MAX bytes of JSON over all messages; then a new
 * one is refused. Nothing held is ever evicted.
 */
#ifndef BRIDGE_TRANSLATE_HELD_PARTS_H
#define BRIDGE_TRANSLATE_HELD_PARTS_H

#include "bridge/translate/id_table.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define HELD_PARTS_MAX 2000
#define HELD_PARTS_BYTES_MAX ((size_t)4 * 1024 * 1024)

struct held_part {
    struct held_part *next;
    cJSON *part;  /* a part, or the properties of a message.part.delta */
    cJSON *delta; /* the delta that came with the part, or NULL */
    bool is_delta;
    size_t size;
};

struct held_parts {
    struct id_table messages; /* message id -> struct held_list */
    size_t count;
    size_t bytes;
};

void held_parts_init(struct held_parts *held);
void held_parts_clear(struct held_parts *held);

/* Keeps `item->part` and `item->delta` and takes them over, also when it fails. False: no room. */
bool held_parts_add(struct held_parts *held, const char *message_id, const struct held_part *item);

/* The message has parts that wait. */
bool held_parts_has(const struct held_parts *held, const char *message_id);

/* Takes out all parts of the message, in order; NULL when there are none. Free each with
 * held_part_free(). */
struct held_part *held_parts_take(struct held_parts *held, const char *message_id);
void held_part_free(struct held_part *item);

#endif
