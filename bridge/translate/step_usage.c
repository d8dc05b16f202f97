#include "bridge/translate/step_usage.h"

#include "bridge/translate/event_limits.h"
#include "common/cleanup.h"
#include "common/json.h"

static const char *const COUNTS[] = {"total", "input", "output", "reasoning"};
static const char *const CACHE_COUNTS[] = {"read", "write"};

/* Deletes what is no number among these; how many numbers are left. */
static size_t keep_numbers(cJSON *object, const char *const *names, size_t name_count)
{
    size_t kept = 0;

    for (size_t i = 0; i < name_count; i++) {
        if (cJSON_IsNumber(json_get(object, names[i])))
            kept++;
        else
            cJSON_DeleteItemFromObjectCaseSensitive(object, names[i]);
    }
    return kept;
}

static bool is_token_count(cJSON *tokens)
{
    cJSON *cache = cJSON_GetObjectItemCaseSensitive(tokens, "cache");
    size_t counts;

    if (!cJSON_IsObject(tokens))
        return cJSON_IsNumber(tokens);
    counts = keep_numbers(tokens, COUNTS, ARRAY_LENGTH(COUNTS));
    if (cJSON_IsObject(cache))
        counts += keep_numbers(cache, CACHE_COUNTS, ARRAY_LENGTH(CACHE_COUNTS));
    else
        cJSON_DeleteItemFromObjectCaseSensitive(tokens, "cache");
    return counts > 0;
}

static void move(cJSON *part, cJSON *event, const char *name, bool fits)
{
    cJSON *value = cJSON_DetachItemFromObjectCaseSensitive(part, name);

    if (fits)
        json_put(event, name, event_limits_usage(value));
    else
        cJSON_Delete(value);
}

void step_usage_move(cJSON *part, cJSON *event)
{
    move(part, event, "cost", cJSON_IsNumber(json_get(part, "cost")));
    move(part, event, "tokens", is_token_count(cJSON_GetObjectItemCaseSensitive(part, "tokens")));
    move(part, event, "reason", cJSON_IsString(json_get(part, "reason")));
}
