#include "bridge/prompt/takeover.h"

#include "common/json.h"

#include <string.h>

static bool has_text(const cJSON *object, const char *key, const char *wanted)
{
    const char *text = json_get_string(object, key);

    return text && strcmp(text, wanted) == 0;
}

/* Written since the prompt was posted, or its own user message. */
static bool belongs(const struct takeover *takeover, const cJSON *info)
{
    double created;

    if (has_text(info, "id", takeover->user_message_id) ||
        has_text(info, "parentID", takeover->user_message_id))
        return true;
    return json_get_number(json_get_object(info, "time"), "created", &created) &&
           created >= (double)takeover->started_wall_ms;
}

static void send(const char *type, const char *key, const cJSON *value, const char *session_id,
                 takeover_event_fn *on_event, void *user)
{
    cJSON *event = cJSON_CreateObject(), *properties = cJSON_CreateObject();

    json_add_string(properties, "sessionID", session_id);
    json_put(properties, key, cJSON_Duplicate(value, true));
    json_add_string(event, "type", type);
    json_put(event, "properties", properties);
    on_event(user, event);
}

/* A text that still streams is stored as "". Announced as a part, its next delta would count as its
 * beginning; left out, the deltas pass unheard until the finished text comes. */
static bool is_streaming_text(const cJSON *part)
{
    return has_text(part, "type", "text") && !json_get_nonempty(part, "text");
}

static void replay_message(const struct takeover *takeover, const cJSON *message,
                           takeover_event_fn *on_event, void *user)
{
    const cJSON *info = json_get_object(message, "info"), *part;

    send("message.updated", "info", info, takeover->session_id, on_event, user);
    cJSON_ArrayForEach(part, json_get_array(message, "parts")) {
        if (!has_text(part, "type", "step-start") && !has_text(part, "type", "step-finish") &&
            !is_streaming_text(part))
            send("message.part.updated", "part", part, takeover->session_id, on_event, user);
    }
}

/* An answer that OpenCode neither finished nor failed. */
static bool is_unfinished(const cJSON *info)
{
    return has_text(info, "role", "assistant") &&
           !json_get(json_get_object(info, "time"), "completed") && !json_get(info, "error");
}

enum takeover_verdict takeover_replay(const struct takeover *takeover, takeover_event_fn *on_event,
                                      void *user)
{
    const cJSON *message, *info;
    bool posted = false, unfinished = false;

    cJSON_ArrayForEach(message, takeover->messages) {
        if (has_text(json_get_object(message, "info"), "id", takeover->user_message_id))
            posted = true;
    }
    if (!posted)
        return TAKEOVER_NOT_POSTED;
    cJSON_ArrayForEach(message, takeover->messages) {
        info = json_get_object(message, "info");
        if (!belongs(takeover, info))
            continue;
        unfinished = is_unfinished(info);
        replay_message(takeover, message, on_event, user);
    }
    if (!cJSON_IsObject(takeover->status))
        return unfinished ? TAKEOVER_RUNNING : TAKEOVER_ENDED;
    /* Only sessions that work are listed. */
    if (json_get(takeover->status, takeover->session_id))
        return TAKEOVER_RUNNING;
    return unfinished ? TAKEOVER_ABANDONED : TAKEOVER_ENDED;
}
