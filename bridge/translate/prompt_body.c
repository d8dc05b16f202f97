#include "bridge/translate/prompt_body.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define IDS_PER_MS 4096u
#define LOW_48_BITS 0xffffffffffffu

void message_ids_next(struct message_ids *ids, uint64_t wall_ms,
                      const uint8_t random[PROMPT_MESSAGE_ID_RANDOM_BYTES],
                      char out[PROMPT_MESSAGE_ID_LENGTH + 1])
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t value;
    int at;

    ids->count = wall_ms == ids->last_ms ? ids->count + 1 : 1;
    ids->last_ms = wall_ms;
    value = (wall_ms * IDS_PER_MS + ids->count) & LOW_48_BITS;
    at = snprintf(out, PROMPT_MESSAGE_ID_LENGTH + 1, "msg_%012llx", (unsigned long long)value);
    for (int i = 0; i < PROMPT_MESSAGE_ID_RANDOM_BYTES; i++)
        out[at + i] = letters[random[i] % (sizeof(letters) - 1)];
    out[PROMPT_MESSAGE_ID_LENGTH] = '\0';
}

static bool is_one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, list[i]) == 0)
            return true;
    }
    return false;
}

/* Models that choose their own thinking budget. */
static bool thinks_adaptively(const char *model)
{
    static const char *const models[] = {
        "claude-fable-5", "claude-opus-4-6",   "claude-opus-4-7", "claude-opus-4-8",
        "claude-opus-5",  "claude-sonnet-4-6", "claude-sonnet-5",
    };

    return is_one_of(model, models, ARRAY_LENGTH(models));
}

static cJSON *adaptive_options(const char *effort)
{
    static const char *const efforts[] = {"low", "medium", "high", "xhigh", "max"};
    cJSON *options = cJSON_CreateObject();

    json_add_string(cJSON_AddObjectToObject(options, "thinking"), "type", "adaptive");
    if (is_one_of(effort, efforts, ARRAY_LENGTH(efforts)))
        json_add_string(cJSON_AddObjectToObject(options, "outputConfig"), "effort", effort);
    return options;
}

static cJSON *budget_options(const char *effort)
{
    static const struct {
        const char *effort;
        int tokens;
    } budgets[] = {{"high", 16000}, {"max", 31999}};

    for (size_t i = 0; i < ARRAY_LENGTH(budgets); i++) {
        cJSON *options;
        cJSON *thinking;

        if (strcmp(effort, budgets[i].effort) != 0)
            continue;
        options = cJSON_CreateObject();
        thinking = cJSON_AddObjectToObject(options, "thinking");
        json_add_string(thinking, "type", "enabled");
        json_add_number(thinking, "budgetTokens", budgets[i].tokens);
        return options;
    }
    return NULL;
}

static cJSON *openai_options(const char *effort)
{
    cJSON *options = cJSON_CreateObject();

    json_add_string(options, "reasoningEffort", effort);
    json_add_string(options, "reasoningSummary", "auto");
    return options;
}

/* B-604: what older versions of OpenCode understand. NULL: nothing. */
static cJSON *effort_options(const char *provider, const char *model, const char *effort)
{
    if (strcmp(provider, "openai") == 0)
        return openai_options(effort);
    if (strcmp(provider, "anthropic") != 0)
        return NULL;
    return thinks_adaptively(model) ? adaptive_options(effort) : budget_options(effort);
}

static void add_model(cJSON *body, const char *name, const char *effort)
{
    const char *slash = strchr(name, '/');
    const char *model = slash ? slash + 1 : name;
    AUTO_FREE char *provider = slash ? strndup(name, (size_t)(slash - name)) : strdup("anthropic");
    cJSON *object = cJSON_AddObjectToObject(body, "model");

    if (!provider)
        return;
    json_add_string(object, "providerID", provider);
    json_add_string(object, "modelID", model);
    if (!effort || effort[0] == '\0')
        return;
    json_put(object, "options", effort_options(provider, model, effort));
    /* D-25: OpenCode 1.18 drops `options` and obeys `variant`, an unknown one does no harm. */
    json_add_string(body, "variant", effort);
}

cJSON *prompt_body_file_part(const char *name, const char *mime, const char *base64)
{
    static const char form[] = "data:%s;base64,%s";
    AUTO_BUF struct buf url = BUF_INIT(sizeof(form) + strlen(mime) + strlen(base64));
    cJSON *part = cJSON_CreateObject();

    buf_printf(&url, form, mime, base64);
    if (!part || buf_failed(&url)) {
        cJSON_Delete(part);
        return NULL;
    }
    json_add_string(part, "type", "file");
    json_add_string(part, "mime", mime);
    json_add_string(part, "filename", name);
    json_add_string(part, "url", buf_text(&url));
    return part;
}

cJSON *prompt_body_build(const struct prompt_body_input *input)
{
    cJSON *body = cJSON_CreateObject();
    cJSON *parts = cJSON_AddArrayToObject(body, "parts");
    cJSON *text = cJSON_CreateObject();

    json_add_string(text, "type", "text");
    json_add_string(text, "text", input->content ? input->content : "");
    if (!parts || !cJSON_AddItemToArray(parts, text)) {
        cJSON_Delete(text);
        cJSON_Delete(input->file_parts);
        cJSON_Delete(body);
        return NULL;
    }
    while (input->file_parts && input->file_parts->child)
        cJSON_AddItemToArray(parts, cJSON_DetachItemFromArray(input->file_parts, 0));
    cJSON_Delete(input->file_parts);
    json_add_string(body, "messageID", input->message_id);
    if (input->model && input->model[0] != '\0')
        add_model(body, input->model, input->reasoning_effort);
    return body;
}
