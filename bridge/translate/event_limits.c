#include "bridge/translate/event_limits.h"

#include "bridge/translate/fields.h"
#include "common/buf.h"
#include "common/json.h"

#include <string.h>

/* Rough size of the printed value: exact enough to tell that there is nothing to do, and much
 * cheaper than printing. Stops counting at the limit. */
static size_t estimate(const cJSON *value, size_t limit)
{
    size_t size = 0;

    for (const cJSON *item = value->child; item && size < limit; item = item->next) {
        size += item->string ? strlen(item->string) + 4 : 1;
        if (cJSON_IsString(item))
            size += strlen(item->valuestring) + 2;
        else if (item->child)
            size += estimate(item, limit - size) + 2;
        else
            size += 24;
    }
    return size;
}

static void cut_strings(cJSON *value)
{
    for (cJSON *item = value->child; item; item = item->next) {
        cJSON *cut;

        if (item->child) {
            cut_strings(item);
            continue;
        }
        if (!cJSON_IsString(item) || strlen(item->valuestring) <= EVENT_ARGS_STRING_MAX)
            continue;
        cut = field_cut_string(item->valuestring, EVENT_ARGS_STRING_MAX);
        if (cut)
            cJSON_SetValuestring(item, cut->valuestring);
        cJSON_Delete(cut);
    }
}

static bool prints_within_limit(const cJSON *args)
{
    AUTO_BUF struct buf printed = BUF_INIT(EVENT_ARGS_MAX);

    json_print(args, &printed);
    return !buf_failed(&printed);
}

cJSON *event_limits_args(cJSON *args)
{
    /* Escapes at most sextuple a byte (control characters), so this many need no printing. */
    if (!args || estimate(args, EVENT_ARGS_MAX) < EVENT_ARGS_MAX / 6 || prints_within_limit(args))
        return args;
    cut_strings(args);
    if (prints_within_limit(args))
        return args;
    cJSON_Delete(args);
    args = cJSON_CreateObject();
    json_add_string(args, "cut", "the arguments of this call are too long to show");
    return args;
}

cJSON *event_limits_usage(cJSON *value)
{
    cJSON *cut;

    if (!cJSON_IsString(value))
        return event_limits_args(value);
    cut = field_cut_string(value->valuestring, FIELD_ERROR_MAX);
    cJSON_Delete(value);
    return cut;
}
