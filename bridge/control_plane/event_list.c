#include "bridge/control_plane/event_list.h"

#include <stdlib.h>
#include <string.h>

void event_list_append(struct event_list *list, struct queued_event *entry)
{
    entry->older = list->newest;
    entry->newer = NULL;
    *(list->newest ? &list->newest->newer : &list->oldest) = entry;
    list->newest = entry;
    list->count++;
    list->bytes += entry->len;
}

void event_list_remove(struct event_list *list, struct queued_event *entry)
{
    *(entry->older ? &entry->older->newer : &list->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &list->newest) = entry->older;
    list->count--;
    list->bytes -= entry->len;
}

void event_list_prepend_all(struct event_list *list, struct event_list *front)
{
    if (!front->newest)
        return;
    front->newest->newer = list->oldest;
    *(list->oldest ? &list->oldest->older : &list->newest) = front->newest;
    list->oldest = front->oldest;
    list->count += front->count;
    list->bytes += front->bytes;
    *front = (struct event_list){0};
}

void queued_event_free(struct queued_event *entry)
{
    if (entry)
        free(entry->ack_id);
    free(entry);
}

void event_list_clear(struct event_list *list)
{
    while (list->oldest) {
        struct queued_event *entry = list->oldest;

        event_list_remove(list, entry);
        queued_event_free(entry);
    }
}

struct queued_event *event_list_least(const struct event_list *list)
{
    struct queued_event *least = list->oldest;

    for (struct queued_event *entry = least; entry && least->rank > QUEUED_BULK;
         entry = entry->newer) {
        if (entry->rank < least->rank)
            least = entry;
    }
    return least;
}

struct queued_event *queued_event_new(const char *ack_id, enum queued_rank rank, const char *text,
                                      size_t len)
{
    struct queued_event *entry = malloc(sizeof *entry + len + 1);

    if (!entry)
        return NULL;
    *entry = (struct queued_event){.ack_id = ack_id ? strdup(ack_id) : NULL};
    if (ack_id && !entry->ack_id) {
        free(entry);
        return NULL;
    }
    entry->rank = rank;
    entry->len = len;
    memcpy(entry->text, text, len);
    entry->text[len] = '\0';
    return entry;
}
