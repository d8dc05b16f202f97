#include "bridge/translate/event_limits.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "bridge/translate/step_usage.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* Message, session, call, status and child of one tool call. */
#define TOOL_KEY_MAX (FIELD_CALL_ID_MAX + (size_t)8 * FIELD_ID_MAX)

static void translate_text(struct translator *t, cJSON *part, const cJSON *delta)
{
    struct text_part *text;
    const char *id;

    if (!field_optional_id(part, "id", &id))
        return;
    text = text_parts_open(&t->texts, id);
    if (!text)
        return;
    if (cJSON_IsString(delta) && delta->valuestring[0] != '\0' && !text->deaf) {
        if (text_parts_append(&t->texts, text, delta->valuestring))
            emit_text(t, text);
        return;
    }
    text->deaf = false;
    if (text_parts_replace(&t->texts, text, field_text(part, "text"))) {
        emit_text(t, text);
    }
}

/* B-551 with the message id (D-06). Poisoned when an id is out of all bounds. */
static void print_tool_key(struct buf *key, const struct part_origin *origin, const char *call_id,
                           const char *status, const char *child)
{
    buf_reset(key);
    buf_puts(key, origin->message_id);
    buf_putc(key, '\n');
    buf_puts(key, origin->session);
    buf_putc(key, '\n');
    buf_puts(key, call_id);
    buf_putc(key, '\n');
    buf_puts(key, status);
    buf_putc(key, '\n');
    buf_puts(key, child ? child : "");
}

static bool has_tool_state(const struct translator *t, const struct part_origin *origin,
                           const char *call_id, const char *status, const char *child)
{
    AUTO_BUF struct buf key = BUF_INIT(TOOL_KEY_MAX);

    print_tool_key(&key, origin, call_id, status, child);
    return !buf_failed(&key) && id_table_has(&t->tools, buf_text(&key));
}

static bool is_end(const char *status)
{
    return strcmp(status, "completed") == 0 || strcmp(status, "error") == 0;
}

/* True when this state of the call was not sent before. After a gap, states of the stream and stored
 * ones mix: one that comes later than the end of its call is old. */
static bool is_new_tool_state(struct translator *t, const struct part_origin *origin,
                              const char *call_id, const char *status, const char *child)
{
    AUTO_BUF struct buf key = BUF_INIT(TOOL_KEY_MAX);

    if (t->had_gap && !is_end(status) &&
        (has_tool_state(t, origin, call_id, "completed", child) ||
         has_tool_state(t, origin, call_id, "error", child)))
        return false;
    print_tool_key(&key, origin, call_id, status, child);
    return !buf_failed(&key) && id_table_add(&t->tools, buf_text(&key));
}

bool parts_has_begun(struct translator *t, const cJSON *part, const struct part_origin *origin)
{
    const char *call_id = field_text(part, "callID");
    const char *child = subtasks_child_of(&t->subtasks, call_id);

    return has_tool_state(t, origin, call_id, "running", child) ||
           has_tool_state(t, origin, call_id, "running", NULL) ||
           has_tool_state(t, origin, call_id, "pending", NULL);
}

/* D-15: the control plane drops a call whose args are no object. */
static cJSON *take_args(cJSON *state)
{
    cJSON *input = cJSON_DetachItemFromObjectCaseSensitive(state, "input");
    cJSON *wrapped;

    if (cJSON_IsObject(input))
        return event_limits_args(input);
    wrapped = cJSON_CreateObject();
    if (input && !cJSON_IsNull(input))
        json_put(wrapped, "input", input);
    else
        cJSON_Delete(input);
    return event_limits_args(wrapped);
}

/* D-05: a failed call says why in state.error; D-15: other types than text become text. */
static cJSON *make_output(const cJSON *state, const char *status)
{
    const cJSON *output = json_get(state, "output");
    AUTO_FREE char *text = NULL;

    if (cJSON_IsString(output) && output->valuestring[0] != '\0')
        return field_cut_string(output->valuestring, FIELD_TEXT_MAX);
    text = field_to_text(output);
    if ((!text || text[0] == '\0') && strcmp(status, "error") == 0) {
        free(text);
        text = field_to_text(json_get(state, "error"));
    }
    return cJSON_CreateString(text ? text : "");
}

static void translate_tool(struct translator *t, cJSON *part, const struct part_origin *origin)
{
    cJSON *state = json_get_object(part, "state");
    const char *status = field_text(state, "status");
    const char *tool = field_text(part, "tool");
    const char *call_id;
    const char *child;
    cJSON *event;

    if (field_is_odd_object(part, "state") || !field_call_id(part, &call_id) ||
        strlen(status) > FIELD_ID_MAX || strlen(tool) > FIELD_ID_MAX) {
        if (is_end(status)) /* D-07; one line for each call */
            emit_note(t, LOG_WARNING, "bridge.tool_part_skipped", "part_id", field_id(part, "id"));
        return;
    }
    if ((status[0] == '\0' || strcmp(status, "pending") == 0) &&
        field_is_empty(json_get(state, "input")))
        return;
    child = subtasks_child_of(&t->subtasks, call_id);
    if (!is_new_tool_state(t, origin, call_id, status, child))
        return;
    event = emit_new(t, "tool_call");
    json_add_string(event, "tool", tool);
    json_put(event, "args", take_args(state));
    json_add_string(event, "callId", call_id);
    json_add_string(event, "status", status);
    json_put(event, "output", make_output(state, status));
    if (child && strcmp(tool, "task") == 0)
        json_add_string(event, "childSessionId", child);
    if (origin->is_subtask)
        emit_mark_subtask(event, origin->session,
                          subtasks_owner_of(&t->subtasks, origin->message_id));
    t->has_output = true;
    emit_event(t, event);
}

/* Steps go out every time (B-556); only after a gap may one come twice. */
static bool is_repeated_step(struct translator *t, const cJSON *part)
{
    const char *id = field_id(part, "id");
    AUTO_BUF struct buf key = BUF_INIT(TOOL_KEY_MAX);

    if (!id)
        return false;
    buf_puts(&key, "step\n");
    buf_puts(&key, id);
    return !id_table_add(&t->tools, buf_text(&key)) && t->had_gap;
}

static void translate_step(struct translator *t, cJSON *part, const struct part_origin *origin,
                           bool finished)
{
    cJSON *event;

    if (is_repeated_step(t, part))
        return;
    event = emit_new(t, finished ? "step_finish" : "step_start");
    if (finished)
        step_usage_move(part, event);
    if (origin->is_subtask)
        emit_mark_subtask(event, origin->session,
                          subtasks_owner_of(&t->subtasks, origin->message_id));
    if (finished)
        t->has_output = true;
    emit_event(t, event);
}

void parts_translate(struct translator *t, cJSON *part, const cJSON *delta,
                     const struct part_origin *origin)
{
    const char *type = field_text(part, "type");

    if (strcmp(type, "text") == 0) {
        if (!origin->is_subtask)
            translate_text(t, part, delta);
    } else if (strcmp(type, "tool") == 0) {
        translate_tool(t, part, origin);
    } else if (strcmp(type, "step-start") == 0) {
        translate_step(t, part, origin, false);
    } else if (strcmp(type, "step-finish") == 0) {
        translate_step(t, part, origin, true);
    }
}

/* Reasoning streams with field "text" as well; only parts announced as text are known here. */
void parts_apply_delta(struct translator *t, const cJSON *properties)
{
    const char *part_id = field_id(properties, "partID");
    const char *delta = json_get_nonempty(properties, "delta");
    struct text_part *text = part_id ? text_parts_find(&t->texts, part_id) : NULL;

    if (text && delta && strcmp(field_text(properties, "field"), "text") == 0 &&
        text_parts_append(&t->texts, text, delta))
        emit_text(t, text);
}

void parts_hold(struct translator *t, const char *message_id, const struct held_part *item)
{
    if (held_parts_add(&t->held, message_id, item) || t->said_parts_dropped)
        return;
    t->said_parts_dropped = true;
    EMIT_NOTE(t, LOG_WARNING, "bridge.pending_parts_dropped", NOTE_NUM("limit", HELD_PARTS_MAX));
}

void parts_drain(struct translator *t, const char *message_id, bool is_subtask)
{
    struct held_part *item = held_parts_take(&t->held, message_id);

    while (item) {
        struct held_part *next = item->next;
        const char *session;

        if (item->is_delta) {
            if (!is_subtask)
                parts_apply_delta(t, item->part);
        } else if (field_optional_id(item->part, "sessionID", &session)) {
            parts_translate(t, item->part, item->delta,
                            &(struct part_origin){session, message_id, is_subtask});
        }
        held_part_free(item);
        item = next;
    }
}
