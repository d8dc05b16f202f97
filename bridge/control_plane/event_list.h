/*
 * The lists of the outbox: printed events in the order they happened. Pure. A list owns what is in
 * it; what was removed belongs to the caller.
 */
#ifndef BRIDGE_CONTROL_PLANE_EVENT_LIST_H
#define BRIDGE_CONTROL_PLANE_EVENT_LIST_H

#include <stddef.h>
#include <stdint.h>

/* What goes first when there is no room for all (B-445). */
enum queued_rank {
    QUEUED_BULK, /* one of many: what a tool does, a text that a newer one of its message follows */
    QUEUED_ONCE, /* told once: what a step costs, the newest text of a message */
    QUEUED_VITAL, /* critical (it has an ackId), or the heartbeat */
};

struct queued_event {
    struct queued_event *older, *newer;
    enum queued_rank rank;
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

/* Copies both texts. NULL when out of memory. */
struct queued_event *queued_event_new(const char *ack_id, enum queued_rank rank, const char *text,
                                      size_t len);
void queued_event_free(struct queued_event *entry);

void event_list_append(struct event_list *list, struct queued_event *entry);
void event_list_remove(struct event_list *list, struct queued_event *entry);
/* Puts all of `front` before `list`; `front` is empty then. */
void event_list_prepend_all(struct event_list *list, struct event_list *front);
void event_list_clear(struct event_list *list);

/* The oldest of the lowest rank there is. NULL: the list is empty. */
struct queued_event *event_list_least(const struct event_list *list);

#endif
