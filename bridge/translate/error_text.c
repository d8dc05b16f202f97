#include "bridge/translate/error_text.h"

#include "bridge/translate/fields.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

static const cJSON *text_source(const cJSON *error)
{
    const cJSON *detail = json_get(json_get_object(error, "data"), "message");
    const cJSON *message = json_get(error, "message");

    if (!cJSON_IsObject(error))
        return error;
    if (detail && !cJSON_IsNull(detail))
        return detail;
    return field_is_empty(message) ? json_get(error, "name") : message;
}

char *error_text(const cJSON *error)
{
    const cJSON *source = text_source(error);
    AUTO_FREE char *text = field_is_empty(source) ? NULL : field_to_text(source);
    AUTO_JSON cJSON *cut = text ? field_cut_string(text, FIELD_ERROR_MAX) : NULL;

    return cut ? strdup(cut->valuestring) : NULL;
}

static bool has_name(const cJSON *error, const char *name)
{
    const char *actual = json_get_string(error, "name");

    return actual && strcmp(actual, name) == 0;
}

bool error_is_overflow(const cJSON *error)
{
    return has_name(error, "ContextOverflowError");
}

bool error_is_abort(const cJSON *error)
{
    return has_name(error, "MessageAbortedError");
}
