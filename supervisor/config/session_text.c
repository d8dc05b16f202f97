#include "supervisor/config/session_text.h"

#include "common/json.h"
#include "common/trim.h"
#include "common/wtf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_utf8(const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t step = wtf8_decode(text + at, len - at, &code);

        if (step == 0 || (code >= 0xd800 && code <= 0xdfff) || code == 0)
            return false;
        at += step;
    }
    return true;
}

static bool is_overridden(const cJSON *member)
{
    for (const cJSON *later = member->next; later; later = later->next) {
        if (strcmp(later->string, member->string) == 0)
            return true;
    }
    return false;
}

/* S-53: of members of one name the last counts, as in Python and JavaScript. cJSON finds the first. */
static void drop_overridden(cJSON *value)
{
    cJSON *member = value->child;

    while (member) {
        cJSON *next = member->next;

        if (cJSON_IsObject(value) && is_overridden(member))
            cJSON_Delete(cJSON_DetachItemViaPointer(value, member));
        else
            drop_overridden(member);
        member = next;
    }
}

cJSON *session_parse(const char *text, struct err *err)
{
    cJSON *session;

    if (!*text || !is_utf8(text)) {
        err_set(err, ERR_CONFIG,
                *text ? "must be UTF-8" : "is empty; leave it out or give a JSON object");
        return NULL;
    }
    session = json_parse(text, strlen(text), err);
    if (!session) {
        err_add_context(err, "must be a JSON object");
        return NULL;
    }
    if (cJSON_IsObject(session)) {
        drop_overridden(session);
        return session;
    }
    cJSON_Delete(session);
    err_set(err, ERR_CONFIG, "must be a JSON object");
    return NULL;
}

char *session_text(const cJSON *object, const char *key)
{
    const cJSON *value = json_get(object, key);

    if (cJSON_IsString(value))
        return trim_copy(value->valuestring);
    if (cJSON_IsTrue(value))
        return strdup("true");
    if (cJSON_IsNumber(value) && value->valuedouble != 0)
        return json_to_string(value);
    return NULL;
}
