#include "bridge/opencode/stored_messages.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

/* What a value takes beside its text: a node of the tree. */

/* OpenCode writes `info` first. In a string its quotes would be escaped, so this is no part of one. */
static const char info_end[] = "},\"parts\":[";

static cJSON *parse_beginning(char *text, size_t len, struct err *err)
{
    static const char closing[] = "}]";
    char *end = memmem(text, len, info_end, sizeof info_end - 1);
    size_t at = end ? (size_t)(end + sizeof info_end - 1 - text) : 0;

    if (!end || len - at < sizeof closing) {
        err_set(err, ERR_LIMIT, "a message of the session is too long to be read");
        return NULL;
    }
    text[at] = ']';
    memcpy(text + at + 1, closing, sizeof closing);
    return json_parse_in_place(text, at + sizeof closing, err);
}

cJSON *stored_messages_parse(char *text, size_t len, bool cut, struct err *err)
{
    AUTO_JSON cJSON *messages = NULL;

    if (!text)
        err_set(err, ERR_PROTOCOL, "OpenCode's answer is empty");
    else if (cut)
        messages = parse_beginning(text, len, err);
    else
        messages = json_parse_in_place(text, len, err);
    if (messages && !cJSON_IsArray(messages)) {
        err_set(err, ERR_PROTOCOL, "OpenCode's messages are no list");
        return NULL;
    }
    return TAKE_PTR(messages);
}

/* Of a tool's metadata only the child session is of use; `attachments` are images as base64. */
static void prune_tool(cJSON *part)
{
    cJSON *state = json_get_object(part, "state");
    const char *child = json_get_nonempty(json_get_object(state, "metadata"), "sessionId");
    cJSON *kept = NULL;

    if (child) {
        kept = cJSON_CreateObject();
        json_add_string(kept, "sessionId", child);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(state, "metadata");
    cJSON_DeleteItemFromObjectCaseSensitive(state, "attachments");
    if (kept)
        json_put(state, "metadata", kept);
}

static bool is_needed(const cJSON *part)
{
    static const char *const needed[] = {"text", "tool", "step-start", "step-finish"};
    const char *type = json_get_string(part, "type");

    for (size_t i = 0; type && i < ARRAY_LENGTH(needed); i++) {
        if (strcmp(type, needed[i]) == 0)
            return true;
    }
    return false;
}

size_t stored_messages_prune(cJSON *messages)
{
    size_t bytes = 0;
    cJSON *message;

    cJSON_ArrayForEach(message, messages) {
        cJSON *parts = json_get_array(message, "parts");

        for (cJSON *part = parts ? parts->child : NULL, *next; part; part = next) {
            next = part->next;
            if (is_needed(part))
                prune_tool(part);
            else
                cJSON_Delete(cJSON_DetachItemViaPointer(parts, part));
        }
        /* A user message has its changes there, patches and all; an assistant's is true. */
        if (json_get_object(json_get_object(message, "info"), "summary"))
            cJSON_DeleteItemFromObjectCaseSensitive(json_get_object(message, "info"), "summary");
        bytes += json_weigh(message);
    }
    return bytes;
}

bool stored_messages_reach(const cJSON *messages, const char *user_message_id, uint64_t wall_ms)
{
    const cJSON *message;

    cJSON_ArrayForEach(message, messages) {
        const cJSON *info = json_get_object(message, "info");
        const char *id = json_get_string(info, "id");
        const char *role = json_get_string(info, "role");
        double created;

        if (id && strcmp(id, user_message_id) == 0)
            return true;
        if (role && strcmp(role, "user") == 0 &&
            json_get_number(json_get_object(info, "time"), "created", &created) &&
            created < (double)wall_ms)
            return true;
    }
    return false;
}

cJSON *stored_messages_join(cJSON *older, cJSON *newer)
{
    cJSON *item;

    while ((item = cJSON_DetachItemFromArray(newer, 0)))
        cJSON_AddItemToArray(older, item);
    cJSON_Delete(newer);
    return older;
}
