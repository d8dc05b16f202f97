/*
 * Child sessions (sub-tasks): which sessions are children of ours, which task call owns which of
 * their messages, and what waits because its owner is not known yet (B-531, B-546, B-547, B-567).
 * Pure; owns its ids.
 *
 * Bounds: SUBTASKS_*_MAX; when the queue is full, new activity is refused and nothing is evicted.
 */
#ifndef BRIDGE_TRANSLATE_SUBTASKS_H
#define BRIDGE_TRANSLATE_SUBTASKS_H

#include "bridge/translate/id_table.h"

#include <stdbool.h>
#include <stddef.h>

#define SUBTASKS_CHILDREN_MAX 1024
#define SUBTASKS_DEPTH_MAX 16
#define SUBTASKS_MESSAGES_MAX 8192
#define SUBTASKS_QUEUE_MAX 2000
#define SUBTASKS_QUEUE_BYTES_MAX ((size_t)2 * 1024 * 1024)

/* Something a child did before its task call was known: a message or an error, never both. */
struct subtask_activity {
    struct subtask_activity *next;
    char *child;
    char *message_id;
    char *error;
    size_t size;
};

struct subtasks {
    struct id_table children;      /* child session id -> struct subtask_child */
    struct id_table child_of_task; /* task call id -> child session id */
    struct id_table owner_of;      /* child's message id -> task call id */
    struct subtask_activity *queue;
    size_t queue_count;
    size_t queue_bytes;
};

void subtasks_init(struct subtasks *subtasks);
void subtasks_clear(struct subtasks *subtasks);

/* `parent` is the child that started this one, or NULL for the prompt's own session. Returns true when
 * the child is new. */
bool subtasks_track(struct subtasks *subtasks, const char *child, const char *parent);
bool subtasks_is_grandchild(const struct subtasks *subtasks, const char *session);
bool subtasks_is_child(const struct subtasks *subtasks, const char *session);

/* The parent's task call runs in this child, from now on. The child must be tracked. */
void subtasks_associate(struct subtasks *subtasks, const char *child, const char *task);

/* The task call ended; late activity of its child still belongs to it. */
void subtasks_close(struct subtasks *subtasks, const char *task);

/* The active task of a child, else its last closed one, else NULL; a grandchild's is that of the child at
 * the top (D-51). */
const char *subtasks_task_of(const struct subtasks *subtasks, const char *child);
const char *subtasks_child_of(const struct subtasks *subtasks, const char *task);

void subtasks_own_message(struct subtasks *subtasks, const char *message_id, const char *task);
const char *subtasks_owner_of(const struct subtasks *subtasks, const char *message_id);

bool subtasks_is_queued(const struct subtasks *subtasks, const char *message_id);

/* Queues a message (error NULL) or an error (message_id NULL). False: no room. */
bool subtasks_queue(struct subtasks *subtasks, const char *child, const char *message_id,
                    const char *error);

/* Takes out what is queued of one child, or of all (NULL), in order. */
struct subtask_activity *subtasks_release(struct subtasks *subtasks, const char *child);
void subtask_activity_free(struct subtask_activity *activity);

#endif
