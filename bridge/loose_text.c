#include "bridge/loose_text.h"

#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n\f\v"

char *loose_text(const cJSON *object, const char *key)
{
    const cJSON *value = json_get(object, key);
    char *text, *start;
    size_t len;

    if (!value || cJSON_IsNull(value))
        return strdup("");
    text = cJSON_IsString(value) ? strdup(value->valuestring) : json_to_string(value);
    if (!text)
        return NULL;
    start = text + strspn(text, BLANKS);
    len = strlen(start);
    while (len > 0 && strchr(BLANKS, start[len - 1]))
        len--;
    memmove(text, start, len);
    text[len] = '\0';
    return text;
}
