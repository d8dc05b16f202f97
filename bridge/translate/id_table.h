/*
 * A bounded map from ids to pointers that remembers the order of insertion: what the translator
 * uses for sets of message ids, dedupe keys and per-part state. When it is full, the oldest entry
 * is forgotten. Keys are copied; values belong to the table if it was given a way to free them.
 * Pure.
 */
#ifndef BRIDGE_TRANSLATE_ID_TABLE_H
#define BRIDGE_TRANSLATE_ID_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_entry {
    struct id_entry *older, *newer; /* order of insertion */
    struct id_entry *chain;         /* next of the same slot */
    uint64_t hash;
    void *value;
    char key[];
};

struct id_table {
    struct id_entry **slots;
    size_t slot_count; /* a power of two, or 0 */
    size_t count;
    size_t max;
    struct id_entry *oldest, *newest;
    void (*free_value)(void *value); /* NULL: values are not owned */
};

void id_table_init(struct id_table *table, size_t max, void (*free_value)(void *value));

/* Forgets all entries and gives the memory back; the table stays usable. */
void id_table_clear(struct id_table *table);

bool id_table_has(const struct id_table *table, const char *key);

/* The value, or NULL when the key is unknown. */
void *id_table_get(const struct id_table *table, const char *key);

/* Adds or replaces (an old value is freed; its place in the order stays). Returns true when the key
 * is new. Out of memory: false, and an owned value is freed. */
bool id_table_put(struct id_table *table, const char *key, void *value);

/* As id_table_put without a value. */
bool id_table_add(struct id_table *table, const char *key);

/* Takes the entry out and returns its value unfreed; NULL when unknown. */
void *id_table_take(struct id_table *table, const char *key);

void id_table_remove(struct id_table *table, const char *key);

#endif
