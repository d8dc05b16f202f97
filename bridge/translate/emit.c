#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* Room for "execution_complete:", "#" and a counter around a message id. */
#define ACK_ID_EXTRA 64

cJSON *emit_new(const struct translator *t, const char *type)
{
    cJSON *event = cJSON_CreateObject();

    if (!event)
        return NULL;
    json_add_string(event, "type", type);
    json_add_string(event, "messageId", t->message_id);
    return event;
}

static void deliver(struct translator *t, cJSON *event)
{
    if (event && t->sink)
        t->sink->on_event(t->sink->user, event);
    else
        cJSON_Delete(event);
}

void emit_text_now(struct translator *t, struct text_part *part)
{
    cJSON *event = emit_new(t, "token");

    text_parts_mark_sent(&t->texts, part, t->now);
    json_put(event, "content",
             field_cut_string(buf_text(&part->text), FIELD_TEXT_MAX + sizeof(FIELD_CUT_MARK)));
    t->has_output = true;
    deliver(t, event);
}

void emit_waiting_text(struct translator *t)
{
    if (t->texts.waiting)
        emit_text_now(t, t->texts.waiting);
}

void emit_text(struct translator *t, struct text_part *part)
{
    uint64_t interval = text_parts_interval(part, t->policy.limits.token_interval_ms);

    if (part->text.len == 0)
        return;
    if (t->texts.waiting != part)
        emit_waiting_text(t);
    if (!part->sent || t->now - part->sent_ms >= interval) {
        emit_text_now(t, part);
        return;
    }
    part->waiting = true;
    t->texts.waiting = part;
}

void emit_event(struct translator *t, cJSON *event)
{
    emit_waiting_text(t);
    deliver(t, event);
}

void emit_error(struct translator *t, cJSON *event, const char *text)
{
    size_t size = strlen(t->message_id) + ACK_ID_EXTRA;
    AUTO_BUF struct buf ack_id = BUF_INIT(size);

    t->error_count++;
    buf_printf(&ack_id, "error:%s", t->message_id);
    if (t->error_count > 1)
        buf_printf(&ack_id, "#%u", t->error_count);
    json_add_string(event, "error", text);
    json_add_string(event, "ackId", buf_text(&ack_id));
    emit_event(t, event);
}

void emit_mark_subtask(cJSON *event, const char *child, const char *task)
{
    json_put(event, "isSubtask", cJSON_CreateTrue());
    if (child && child[0] != '\0')
        json_put(event, "childSessionId", cJSON_CreateString(child));
    json_add_string(event, "taskCallId", task);
}

void emit_note_of(struct translator *t, enum log_level level, const char *name,
                  const struct note_field *fields, size_t count)
{
    AUTO_JSON cJSON *object = NULL;

    if (!t->sink || !t->sink->on_note)
        return;
    object = cJSON_CreateObject();
    json_add_string(object, "message_id", t->message_id);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text)
            json_add_string(object, fields[i].key, fields[i].text);
        else if (fields[i].has_number)
            json_add_number(object, fields[i].key, (double)fields[i].number);
        else if (fields[i].has_boolean)
            json_put(object, fields[i].key, cJSON_CreateBool(fields[i].boolean));
    }
    t->sink->on_note(t->sink->user, level, name, object);
}

void emit_note(struct translator *t, enum log_level level, const char *name, const char *key,
               const char *value)
{
    emit_note_of(t, level, name, &(struct note_field){.key = key, .text = value}, key ? 1 : 0);
}
