#include "bridge/translate/subtasks.h"

#include <stdlib.h>
#include <string.h>

struct subtask_child {
    char *parent; /* the child that started it; NULL: the prompt's own session did */
    char *active_task;
    char *closed_task;
};

static void free_child(void *value)
{
    struct subtask_child *child = value;

    free(child->parent);
    free(child->active_task);
    free(child->closed_task);
    free(child);
}

void subtasks_init(struct subtasks *subtasks)
{
    *subtasks = (struct subtasks){0};
    id_table_init(&subtasks->children, SUBTASKS_CHILDREN_MAX, free_child);
    id_table_init(&subtasks->child_of_task, SUBTASKS_CHILDREN_MAX, free);
    id_table_init(&subtasks->owner_of, SUBTASKS_MESSAGES_MAX, free);
}

void subtask_activity_free(struct subtask_activity *activity)
{
    free(activity->child);
    free(activity->message_id);
    free(activity->error);
    free(activity);
}

void subtasks_clear(struct subtasks *subtasks)
{
    struct subtask_activity *queue = subtasks_release(subtasks, NULL);

    while (queue) {
        struct subtask_activity *next = queue->next;

        subtask_activity_free(queue);
        queue = next;
    }
    id_table_clear(&subtasks->children);
    id_table_clear(&subtasks->child_of_task);
    id_table_clear(&subtasks->owner_of);
}

bool subtasks_track(struct subtasks *subtasks, const char *child, const char *parent)
{
    struct subtask_child *state;

    if (subtasks_is_child(subtasks, child))
        return false;
    state = calloc(1, sizeof(*state));
    if (state && parent && !(state->parent = strdup(parent))) {
        free_child(state);
        return false;
    }
    return state && id_table_put(&subtasks->children, child, state);
}

bool subtasks_is_grandchild(const struct subtasks *subtasks, const char *session)
{
    const struct subtask_child *state = id_table_get(&subtasks->children, session);

    return state && state->parent;
}

bool subtasks_is_child(const struct subtasks *subtasks, const char *session)
{
    return id_table_has(&subtasks->children, session);
}

static void put_text(struct id_table *table, const char *key, const char *text)
{
    char *copy = strdup(text);

    if (copy)
        id_table_put(table, key, copy);
}

void subtasks_associate(struct subtasks *subtasks, const char *child, const char *task)
{
    struct subtask_child *state = id_table_get(&subtasks->children, child);
    char *copy = state ? strdup(task) : NULL;

    if (!copy)
        return;
    free(state->active_task);
    free(state->closed_task);
    state->active_task = copy;
    state->closed_task = NULL;
    put_text(&subtasks->child_of_task, task, child);
}

void subtasks_close(struct subtasks *subtasks, const char *task)
{
    const char *child = subtasks_child_of(subtasks, task);
    struct subtask_child *state = child ? id_table_get(&subtasks->children, child) : NULL;

    if (!state || !state->active_task || strcmp(state->active_task, task) != 0)
        return;
    free(state->closed_task);
    state->closed_task = state->active_task;
    state->active_task = NULL;
}

const char *subtasks_task_of(const struct subtasks *subtasks, const char *child)
{
    const struct subtask_child *state = id_table_get(&subtasks->children, child);

    for (int depth = 0; state && state->parent && depth < SUBTASKS_DEPTH_MAX; depth++)
        state = id_table_get(&subtasks->children, state->parent);
    if (!state)
        return NULL;
    return state->active_task ? state->active_task : state->closed_task;
}

const char *subtasks_child_of(const struct subtasks *subtasks, const char *task)
{
    return id_table_get(&subtasks->child_of_task, task);
}

void subtasks_own_message(struct subtasks *subtasks, const char *message_id, const char *task)
{
    put_text(&subtasks->owner_of, message_id, task);
}

const char *subtasks_owner_of(const struct subtasks *subtasks, const char *message_id)
{
    return id_table_get(&subtasks->owner_of, message_id);
}

bool subtasks_is_queued(const struct subtasks *subtasks, const char *message_id)
{
    const struct subtask_activity *item = subtasks->queue;

    while (item && !(item->message_id && strcmp(item->message_id, message_id) == 0))
        item = item->next;
    return item != NULL;
}

static struct subtask_activity *new_activity(const char *child, const char *message_id,
                                             const char *error)
{
    struct subtask_activity *item = calloc(1, sizeof(*item));

    if (!item)
        return NULL;
    item->child = strdup(child);
    item->message_id = message_id ? strdup(message_id) : NULL;
    item->error = error ? strdup(error) : NULL;
    item->size = sizeof(*item) + strlen(child) + strlen(message_id ? message_id : error);
    if (item->child && (item->message_id || item->error))
        return item;
    subtask_activity_free(item);
    return NULL;
}

bool subtasks_queue(struct subtasks *subtasks, const char *child, const char *message_id,
                    const char *error)
{
    struct subtask_activity **end = &subtasks->queue;
    struct subtask_activity *item;

    if (subtasks->queue_count >= SUBTASKS_QUEUE_MAX ||
        subtasks->queue_bytes >= SUBTASKS_QUEUE_BYTES_MAX)
        return false;
    item = new_activity(child, message_id, error);
    if (!item)
        return false;
    while (*end)
        end = &(*end)->next;
    *end = item;
    subtasks->queue_count++;
    subtasks->queue_bytes += item->size;
    return true;
}

struct subtask_activity *subtasks_release(struct subtasks *subtasks, const char *child)
{
    struct subtask_activity *released = NULL;
    struct subtask_activity **end = &released;
    struct subtask_activity **link = &subtasks->queue;

    while (*link) {
        struct subtask_activity *item = *link;

        if (child && strcmp(item->child, child) != 0) {
            link = &item->next;
            continue;
        }
        *link = item->next;
        item->next = NULL;
        *end = item;
        end = &item->next;
        subtasks->queue_count--;
        subtasks->queue_bytes -= item->size;
    }
    return released;
}
