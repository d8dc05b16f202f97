/*
 * Sub-tasks: what a child session does is output of the task call that started it (bridge.md 5.5
 * to 5.8). The tables are in subtasks.c; here is what they mean for the events.
 */
#include "bridge/translate/error_text.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* By so much of its text an error is known again. */
#define ERROR_KEY_TEXT_MAX 256
#define ERROR_KEY_MAX ((size_t)2 * FIELD_ID_MAX + ERROR_KEY_TEXT_MAX)

void child_sessions_track(struct translator *t, const char *child, const char *parent,
                          const char *source)
{
    if (parent && t->session && strcmp(parent, t->session) == 0)
        parent = NULL;
    if (subtasks_track(&t->subtasks, child, parent))
        EMIT_NOTE(t, LOG_INFO, "bridge.child_session_detected",
                  NOTE_TEXT("child_session_id", child), NOTE_TEXT("source", source),
                  NOTE_TEXT("parent_session_id", parent));
}

static void allow_and_drain(struct translator *t, const char *message_id)
{
    attribution_allow(&t->attribution, message_id);
    parts_drain(t, message_id, true);
}

/* Nothing will ever name the task of a grandchild but that of its parent. */
static void queue_activity(struct translator *t, const char *child, const char *message_id,
                           const char *error)
{
    if (subtasks_is_grandchild(&t->subtasks, child))
        return;
    if (subtasks_queue(&t->subtasks, child, message_id, error) || t->said_activity_dropped)
        return;
    t->said_activity_dropped = true;
    EMIT_NOTE(t, LOG_WARNING, "bridge.pending_child_activity_dropped",
              NOTE_NUM("limit", SUBTASKS_QUEUE_MAX));
}

void child_sessions_on_message(struct translator *t, const char *child, const cJSON *info)
{
    const char *id = field_id(info, "id");
    const char *task;

    if (!id)
        return;
    if (!subtasks_owner_of(&t->subtasks, id)) {
        task = subtasks_task_of(&t->subtasks, child);
        if (!task) {
            if (!subtasks_is_queued(&t->subtasks, id))
                queue_activity(t, child, id, NULL);
            return;
        }
        subtasks_own_message(&t->subtasks, id, task);
    }
    allow_and_drain(t, id);
}

static void emit_child_error(struct translator *t, const char *child, const char *task,
                             const char *text)
{
    cJSON *event = emit_new(t, "error");

    emit_mark_subtask(event, child, task);
    emit_error(t, event, text);
    EMIT_NOTE(t, LOG_ERROR, "bridge.child_session_error", NOTE_TEXT("error_msg", text),
              NOTE_TEXT("child_session_id", child));
}

/* An error goes out every time (B-566); only after a gap may one be heard of twice. */
static bool is_repeated_error(struct translator *t, const char *child, const char *text)
{
    AUTO_BUF struct buf key = BUF_INIT(ERROR_KEY_MAX);

    buf_printf(&key, "error\n%s\n%.*s", child, ERROR_KEY_TEXT_MAX, text);
    return !id_table_add(&t->tools, buf_text(&key)) && t->had_gap;
}

void child_sessions_on_error(struct translator *t, const char *child, const cJSON *error)
{
    AUTO_FREE char *text = error_text(error);
    const char *task = subtasks_task_of(&t->subtasks, child);

    if (error_is_overflow(error)) {
        EMIT_NOTE(t, LOG_INFO, "bridge.child_context_overflow_compacting",
                  NOTE_TEXT("error_msg", text), NOTE_TEXT("child_session_id", child));
        return;
    }
    if (!text)
        text = strdup("Sub-task error");
    if (!text || is_repeated_error(t, child, text))
        return;
    if (task)
        emit_child_error(t, child, task, text);
    else
        queue_activity(t, child, NULL, text);
}

void child_sessions_associate(struct translator *t, const cJSON *part, const char *session,
                              const char **child)
{
    const cJSON *metadata = json_get_object(json_get_object(part, "state"), "metadata");
    const char *id = field_id(metadata, "sessionId");
    bool is_ours = t->session && strcmp(t->session, session) == 0;
    const char *task;

    if (!id || strcmp(field_text(part, "tool"), "task") != 0 ||
        !(is_ours || subtasks_is_child(&t->subtasks, session)) || strcmp(id, session) == 0)
        return;
    child_sessions_track(t, id, session, "task_metadata");
    if (!field_call_id(part, &task) || task[0] == '\0' || !is_ours)
        return;
    subtasks_associate(&t->subtasks, id, task);
    *child = id;
}

void child_sessions_release(struct translator *t, const char *child)
{
    /* Translating may forget the child's task; what is released now has one owner. */
    const char *known = subtasks_task_of(&t->subtasks, child);
    AUTO_FREE char *task = known ? strdup(known) : NULL;
    struct subtask_activity *item = subtasks_release(&t->subtasks, child);

    while (item) {
        struct subtask_activity *next = item->next;

        if (item->error) {
            emit_child_error(t, item->child, task, item->error);
        } else {
            if (task)
                subtasks_own_message(&t->subtasks, item->message_id, task);
            allow_and_drain(t, item->message_id);
        }
        subtask_activity_free(item);
        item = next;
    }
}

void child_sessions_close(struct translator *t, const cJSON *part)
{
    const char *status, *task;

    if (strcmp(field_text(part, "tool"), "task") != 0 || !field_call_id(part, &task) ||
        task[0] == '\0')
        return;
    status = field_text(json_get_object(part, "state"), "status");
    if (strcmp(status, "completed") == 0 || strcmp(status, "error") == 0)
        subtasks_close(&t->subtasks, task);
}

void child_sessions_flush(struct translator *t)
{
    struct subtask_activity *item = subtasks_release(&t->subtasks, NULL);

    while (item) {
        struct subtask_activity *next = item->next;

        if (item->error)
            emit_child_error(t, item->child, NULL, item->error);
        else
            allow_and_drain(t, item->message_id);
        subtask_activity_free(item);
        item = next;
    }
}
