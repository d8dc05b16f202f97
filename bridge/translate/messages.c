/*
 * Messages and their parts: whose they are, and what has to wait (bridge.md 5.5, 5.6).
 */
#include "bridge/translate/error_text.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

static bool is_parent(const struct translator *t, const char *session)
{
    return t->session && strcmp(t->session, session) == 0;
}

void messages_see_user(struct translator *t, const cJSON *info)
{
    const char *id = field_id(info, "id");
    bool known = id && attribution_is_user(&t->attribution, id);

    if (!id || !attribution_see_user(&t->attribution, info))
        return;
    if (!known)
        EMIT_NOTE(t, LOG_INFO, "bridge.user_message_id_discovered",
                  NOTE_TEXT("expected_id", t->attribution.own_user_id), NOTE_TEXT("actual_id", id));
    turn_see_life(t);
}

enum attribution_verdict messages_see_assistant(struct translator *t, const cJSON *info)
{
    const char *id = field_id(info, "id");
    const char *parent = field_id(info, "parentID");
    const cJSON *error = json_get(info, "error");
    enum attribution_verdict verdict;

    if (!id)
        return ATTRIBUTION_REJECT;
    verdict = attribution_judge(&t->attribution, info);
    if (verdict == ATTRIBUTION_REJECT)
        return verdict;
    if (parent && attribution_is_user(&t->attribution, parent)) {
        prompt_policy_see_work(&t->policy);
        turn_see_life(t);
    }
    if (!field_is_empty(error)) {
        AUTO_FREE char *text = error_text(error);

        turn_parent_error(t, text);
        EMIT_NOTE(t, LOG_ERROR, "bridge.message_error", NOTE_TEXT("error_msg", text),
                  NOTE_TEXT("oc_msg_id", id));
    }
    if (verdict == ATTRIBUTION_OUTPUT)
        parts_drain(t, id, false);
    return verdict;
}

void messages_on_updated(struct translator *t, const cJSON *properties)
{
    const cJSON *info = json_get_object(properties, "info");
    const char *session = field_id(info, "sessionID");
    const char *role = field_text(info, "role");
    bool is_assistant = strcmp(role, "assistant") == 0;

    if (!session)
        return;
    if (is_parent(t, session)) {
        if (strcmp(role, "user") == 0)
            messages_see_user(t, info);
        else if (is_assistant)
            messages_see_assistant(t, info);
    } else if (is_assistant && subtasks_is_child(&t->subtasks, session)) {
        child_sessions_on_message(t, session, info);
    }
}

void messages_on_part_updated(struct translator *t, cJSON *properties, size_t size)
{
    cJSON *part = json_get_object(properties, "part");
    const cJSON *delta = json_get(properties, "delta");
    const char *child = NULL;
    const char *message_id;
    const char *session;
    struct part_origin origin;

    if (!part || !field_optional_id(part, "messageID", &message_id) ||
        !field_optional_id(part, "sessionID", &session))
        return;
    child_sessions_associate(t, part, session, &child);
    origin = (struct part_origin){session, message_id, subtasks_is_child(&t->subtasks, session)};
    if (attribution_is_allowed(&t->attribution, message_id)) {
        parts_translate(t, part, delta, &origin);
    } else if (message_id[0] != '\0' && !attribution_is_user(&t->attribution, message_id)) {
        /* D-47: a known user message's parts are never output. */
        AUTO_FREE char *key = strdup(message_id);
        struct held_part item = {.part = cJSON_Duplicate(part, true),
                                 .delta = cJSON_Duplicate(delta, false),
                                 .size = size};

        if (key && item.part)
            parts_hold(t, key, &item);
    }
    if (child)
        child_sessions_release(t, child);
    child_sessions_close(t, part);
}

void messages_on_part_delta(struct translator *t, cJSON *properties, size_t size)
{
    const char *message_id = field_id(properties, "messageID");
    const char *session = field_id(properties, "sessionID");

    if (!message_id || (session && subtasks_is_child(&t->subtasks, session)))
        return;
    if (attribution_is_allowed(&t->attribution, message_id)) {
        parts_apply_delta(t, properties);
    } else if (held_parts_has(&t->held, message_id)) {
        struct held_part item = {
            .part = cJSON_Duplicate(properties, true), .is_delta = true, .size = size};

        if (item.part)
            parts_hold(t, message_id, &item);
    }
}
