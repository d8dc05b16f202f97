#include "supervisor/config/session_text.h"

#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\n\v\f";

static char *trimmed(const char *text)
{
    size_t len;

    text += strspn(text, blanks);
    len = strlen(text);
    while (len > 0 && strchr(blanks, text[len - 1]))
        len--;
    return len > 0 ? strndup(text, len) : NULL;
}

char *session_text(const cJSON *object, const char *key)
{
    const cJSON *value = json_get(object, key);

    if (cJSON_IsString(value))
        return trimmed(value->valuestring);
    if (cJSON_IsTrue(value))
        return strdup("true");
    if (cJSON_IsNumber(value) && value->valuedouble != 0)
        return json_to_string(value);
    return NULL;
}
