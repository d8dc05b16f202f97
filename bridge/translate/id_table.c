#include "bridge/translate/id_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOT_COUNT 16

/* FNV-1a: short keys, no adversary that gains by a slow table. */
static uint64_t hash_key(const char *key)
{
    uint64_t hash = 14695981039346656037u;

    for (; *key; key++)
        hash = (hash ^ (uint8_t)*key) * 1099511628211u;
    return hash;
}

void id_table_init(struct id_table *table, size_t max, void (*free_value)(void *value))
{
    *table = (struct id_table){.max = max, .free_value = free_value};
}

static void free_value(const struct id_table *table, void *value)
{
    if (table->free_value && value)
        table->free_value(value);
}

void id_table_clear(struct id_table *table)
{
    struct id_entry *entry = table->oldest;

    while (entry) {
        struct id_entry *newer = entry->newer;

        free_value(table, entry->value);
        free(entry);
        entry = newer;
    }
    free(table->slots);
    id_table_init(table, table->max, table->free_value);
}

static struct id_entry **find(const struct id_table *table, const char *key, uint64_t hash)
{
    struct id_entry **link;

    if (table->slot_count == 0)
        return NULL;
    link = &table->slots[hash & (table->slot_count - 1)];
    while (*link && ((*link)->hash != hash || strcmp((*link)->key, key) != 0))
        link = &(*link)->chain;
    return link;
}

bool id_table_has(const struct id_table *table, const char *key)
{
    struct id_entry **link = find(table, key, hash_key(key));

    return link && *link;
}

void *id_table_get(const struct id_table *table, const char *key)
{
    struct id_entry **link = find(table, key, hash_key(key));

    return link && *link ? (*link)->value : NULL;
}

/* A failed growth is no failure: chains just get longer. */
static void grow(struct id_table *table)
{
    size_t slot_count = table->slot_count ? table->slot_count * 2 : FIRST_SLOT_COUNT;
    struct id_entry **slots = calloc(slot_count, sizeof(struct id_entry *));

    if (!slots)
        return;
    for (struct id_entry *entry = table->oldest; entry; entry = entry->newer) {
        struct id_entry **slot = &slots[entry->hash & (slot_count - 1)];

        entry->chain = *slot;
        *slot = entry;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
}

static void *unlink_entry(struct id_table *table, struct id_entry **link)
{
    struct id_entry *entry = *link;
    void *value = entry->value;

    *link = entry->chain;
    *(entry->older ? &entry->older->newer : &table->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &table->newest) = entry->older;
    free(entry);
    table->count--;
    return value;
}

static void append_entry(struct id_table *table, struct id_entry *entry)
{
    struct id_entry **slot = &table->slots[entry->hash & (table->slot_count - 1)];

    entry->chain = *slot;
    *slot = entry;
    entry->older = table->newest;
    *(table->newest ? &table->newest->newer : &table->oldest) = entry;
    table->newest = entry;
    table->count++;
}

bool id_table_put(struct id_table *table, const char *key, void *value)
{
    uint64_t hash = hash_key(key);
    struct id_entry **link = find(table, key, hash);
    size_t key_size = strlen(key) + 1;
    struct id_entry *entry;

    if (link && *link) {
        if ((*link)->value != value)
            free_value(table, (*link)->value);
        (*link)->value = value;
        return false;
    }
    if (table->count >= table->slot_count)
        grow(table);
    entry = table->slots ? malloc(sizeof(*entry) + key_size) : NULL;
    if (!entry) {
        free_value(table, value);
        return false;
    }
    *entry = (struct id_entry){.hash = hash, .value = value};
    memcpy(entry->key, key, key_size);
    append_entry(table, entry);
    while (table->count > table->max) {
        struct id_entry *oldest = table->oldest;

        free_value(table, unlink_entry(table, find(table, oldest->key, oldest->hash)));
    }
    return true;
}

bool id_table_add(struct id_table *table, const char *key)
{
    return id_table_put(table, key, NULL);
}

void *id_table_take(struct id_table *table, const char *key)
{
    struct id_entry **link = find(table, key, hash_key(key));

    return link && *link ? unlink_entry(table, link) : NULL;
}

void id_table_remove(struct id_table *table, const char *key)
{
    free_value(table, id_table_take(table, key));
}
