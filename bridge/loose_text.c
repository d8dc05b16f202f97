#include "bridge/loose_text.h"

#include "common/json.h"
#include "common/trim.h"

#include <stdlib.h>
#include <string.h>

char *loose_text(const cJSON *object, const char *key)
{
    const cJSON *value = json_get(object, key);
    const char *start;
    char *text;
    size_t len;

    if (!value || cJSON_IsNull(value))
        return strdup("");
    text = cJSON_IsString(value) ? strdup(value->valuestring) : json_to_string(value);
    if (!text)
        return NULL;
    start = trim_both(text, &len);
    memmove(text, start, len);
    text[len] = '\0';
    return text;
}
