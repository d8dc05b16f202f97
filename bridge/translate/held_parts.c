#include "bridge/translate/held_parts.h"

#include <stdlib.h>

struct held_list {
    struct held_part *first;
    struct held_part **end;
};

void held_part_free(struct held_part *item)
{
    cJSON_Delete(item->part);
    cJSON_Delete(item->delta);
    free(item);
}

static void free_list(void *value)
{
    struct held_list *list = value;

    while (list->first) {
        struct held_part *next = list->first->next;

        held_part_free(list->first);
        list->first = next;
    }
    free(list);
}

void held_parts_init(struct held_parts *held)
{
    *held = (struct held_parts){0};
    /* Each message holds a part, so the number of parts bounds them: none is evicted. */
    id_table_init(&held->messages, HELD_PARTS_MAX + 1, free_list);
}

void held_parts_clear(struct held_parts *held)
{
    id_table_clear(&held->messages);
    held->count = 0;
    held->bytes = 0;
}

static struct held_list *open_list(struct held_parts *held, const char *message_id)
{
    struct held_list *list = id_table_get(&held->messages, message_id);

    if (list)
        return list;
    list = calloc(1, sizeof(*list));
    if (!list)
        return NULL;
    list->end = &list->first;
    return id_table_put(&held->messages, message_id, list) ? list : NULL;
}

bool held_parts_add(struct held_parts *held, const char *message_id, const struct held_part *item)
{
    bool room = held->count < HELD_PARTS_MAX && held->bytes + item->size <= HELD_PARTS_BYTES_MAX;
    struct held_part *copy = room ? malloc(sizeof(*copy)) : NULL;
    struct held_list *list = copy ? open_list(held, message_id) : NULL;

    if (!list) {
        free(copy);
        cJSON_Delete(item->part);
        cJSON_Delete(item->delta);
        return false;
    }
    *copy = *item;
    copy->next = NULL;
    *list->end = copy;
    list->end = &copy->next;
    held->count++;
    held->bytes += copy->size;
    return true;
}

bool held_parts_has(const struct held_parts *held, const char *message_id)
{
    return id_table_has(&held->messages, message_id);
}

struct held_part *held_parts_take(struct held_parts *held, const char *message_id)
{
    struct held_list *list = id_table_take(&held->messages, message_id);
    struct held_part *first = list ? list->first : NULL;

    for (struct held_part *item = first; item; item = item->next) {
        held->count--;
        held->bytes -= item->size;
    }
    free(list);
    return first;
}
