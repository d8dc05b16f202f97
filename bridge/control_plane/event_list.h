/*
 * The lists of the outbox: printed events in the order they happened. Pure. A list owns what is in
 * it; what was removed belongs to the caller.
 */
#ifndef BRIDGE_CONTROL_PLANE_EVENT_LIST_H
#define BRIDGE_CONTROL_PLANE_EVENT_LIST_H

#include <stddef.h>
#include <stdint.h>

struct queued_event {
    struct queued_event *older, *newer;
    char *ack_id;           /* NULL: not critical */
    unsigned sends;         /* to how many connections */
    uint64_t first_sent_ms; /* 0: not by this process */
    size_t len;
    char text[];
};

struct event_list {
    struct queued_event *oldest, *newest;
    size_t count;
    size_t bytes;
};

/* Copies both. NULL when out of memory. */
struct queued_event *queued_event_new(const char *ack_id, const char *text, size_t len);
void queued_event_free(struct queued_event *entry);

void event_list_append(struct event_list *list, struct queued_event *entry);
void event_list_remove(struct event_list *list, struct queued_event *entry);
/* Puts all of `front` before `list`; `front` is empty then. */
void event_list_prepend_all(struct event_list *list, struct event_list *front);
void event_list_clear(struct event_list *list);

#endif
