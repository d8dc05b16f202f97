/*
 * What OpenCode has stored of child sessions, after a gap of the stream: what they did in it goes out
 * as if it had been heard (bridge.md 5.5 to 5.7). Of a child's message only what was not sent is.
 */
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/json.h"

#include <string.h>

/* A message of this prompt; a child that was taken up again has older ones. */
static bool is_recent(const struct translator *t, const cJSON *info)
{
    const char *parent = field_id(info, "parentID");
    double created;

    if (parent && attribution_is_user(&t->attribution, parent))
        return true;
    return json_get_number(json_get_object(info, "time"), "created", &created) &&
           created >= (double)t->attribution.started_wall_ms;
}

/* The child that a task call runs, told of as B-547 says. */
static void find_child(struct translator *t, const cJSON *part, const char *session, cJSON *found)
{
    const cJSON *metadata = json_get_object(json_get_object(part, "state"), "metadata");
    const char *id = field_id(metadata, "sessionId");
    const char *child = NULL;
    const cJSON *known;

    child_sessions_associate(t, part, session, &child);
    if (child)
        child_sessions_release(t, child);
    if (!id || !subtasks_is_child(&t->subtasks, id))
        return;
    cJSON_ArrayForEach(known, found) {
        if (strcmp(known->valuestring, id) == 0)
            return;
    }
    cJSON_AddItemToArray(found, cJSON_CreateString(id));
}

void translator_find_children(struct translator *t, const char *session, const cJSON *messages,
                              cJSON *found, uint64_t now, const struct translator_sink *sink)
{
    const cJSON *entry, *part;

    if (translator_is_done(t))
        return;
    t->sink = sink;
    t->now = now;
    cJSON_ArrayForEach(entry, messages) {
        if (!is_recent(t, json_get_object(entry, "info")))
            continue;
        cJSON_ArrayForEach(part, json_get_array(entry, "parts"))
            find_child(t, part, session, found);
    }
    t->sink = NULL;
}

/* Takes the part out of its message when it has to wait. */
static void repair_part(struct translator *t, cJSON *parts, cJSON *part,
                        const struct part_origin *origin)
{
    struct held_part item = {0};

    if (attribution_is_allowed(&t->attribution, origin->message_id)) {
        parts_translate(t, part, NULL, origin);
        return;
    }
    item.size = json_weigh(part);
    item.part = cJSON_DetachItemViaPointer(parts, part);
    json_put(item.part, "sessionID", cJSON_CreateString(origin->session));
    parts_hold(t, origin->message_id, &item);
}

static void repair_message(struct translator *t, const char *child, const cJSON *info, cJSON *parts,
                           bool omits_steps)
{
    const struct part_origin origin = {child, field_text(info, "id"), true};
    const cJSON *error = json_get(info, "error");

    child_sessions_on_message(t, child, info);
    for (cJSON *part = parts ? parts->child : NULL, *next; part; part = next) {
        next = part->next;
        if (strcmp(field_text(part, "type"), "tool") == 0 || !omits_steps)
            repair_part(t, parts, part, &origin);
    }
    /* Of an earlier bridge's errors only their number is known. */
    if (!omits_steps && !field_is_empty(error))
        child_sessions_on_error(t, child, error);
}

void translator_resync_child(struct translator *t, const char *child,
                             const struct translator_stored *stored, uint64_t now,
                             const struct translator_sink *sink)
{
    cJSON *entry;

    if (translator_is_done(t))
        return;
    t->sink = sink;
    t->now = now;
    t->had_gap = true;
    cJSON_ArrayForEach(entry, stored->messages) {
        const cJSON *info = json_get_object(entry, "info");

        if (field_id(info, "id") && strcmp(field_text(info, "role"), "assistant") == 0 &&
            is_recent(t, info))
            repair_message(t, child, info, json_get_array(entry, "parts"), stored->omits_steps);
    }
    t->sink = NULL;
}
