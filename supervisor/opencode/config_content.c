#include "supervisor/opencode/config_content.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/opencode/warm_up.h"

#include <stdio.h>
#include <string.h>

/* Everything is allowed: nobody sits in front of the sandbox to be asked (S-306). */
static cJSON *build_permission(void)
{
    cJSON *all = cJSON_CreateObject();
    cJSON *permission = cJSON_CreateObject();

    json_add_string(all, "*", "allow");
    json_put(permission, "*", all);
    return permission;
}

/* One that is not a text would make OpenCode refuse the whole configuration, and with it every prompt:
 * a number or a truth value is written out, anything else left out. */
static cJSON *text_of(const cJSON *value)
{
    AUTO_FREE char *printed = NULL;

    if (cJSON_IsString(value))
        return cJSON_CreateString(value->valuestring);
    if (!cJSON_IsNumber(value) && !cJSON_IsBool(value))
        return NULL;
    printed = json_to_string(value);
    return printed ? cJSON_CreateString(printed) : NULL;
}

/* The texts of an object as an object; NULL when there are none. */
static cJSON *copy_texts(const cJSON *server, const char *key)
{
    cJSON *texts = cJSON_CreateObject();
    const cJSON *one;

    cJSON_ArrayForEach(one, json_get_object(server, key)) {
        cJSON *text = text_of(one);

        if (text)
            json_put(texts, one->string, text);
    }
    if (texts && texts->child)
        return texts;
    cJSON_Delete(texts);
    return NULL;
}

static cJSON *copy_words(const cJSON *server, const char *key)
{
    cJSON *words = cJSON_CreateArray();
    const cJSON *one;

    cJSON_ArrayForEach(one, json_get_array(server, key))
        cJSON_AddItemToArray(words, text_of(one));
    return words;
}

static cJSON *build_remote_server(const cJSON *server)
{
    cJSON *out = cJSON_CreateObject();
    const char *url = json_get_string(server, "url");
    cJSON *headers = copy_texts(server, "headers");

    if (!headers)
        headers = copy_texts(server, "env");
    json_add_string(out, "type", "remote");
    json_add_string(out, "url", url ? url : "");
    if (headers)
        json_put(out, "headers", headers);
    return out;
}

static cJSON *build_local_server(const cJSON *server)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *environment = copy_texts(server, "env");

    json_add_string(out, "type", "local");
    json_put(out, "command", copy_words(server, "command"));
    if (environment)
        json_put(out, "environment", environment);
    return out;
}

static cJSON *build_mcp(const cJSON *session)
{
    cJSON *mcp = cJSON_CreateObject();
    const cJSON *server;

    cJSON_ArrayForEach(server, json_get_array(session, "mcp_servers")) {
        const char *name = json_get_nonempty(server, "name");
        const char *type = json_get_string(server, "type");

        if (!name)
            continue;
        json_put(mcp, name,
                 type && strcmp(type, "remote") == 0 ? build_remote_server(server)
                                                     : build_local_server(server));
    }
    return mcp;
}

/* The AI SDK package of the session's provider, so that it is loaded before the first prompt. All of
 * them are inside OpenCode; a provider of the user's own is most often of the last kind. */
static const char *sdk_of(const char *provider)
{
    if (strcmp(provider, "anthropic") == 0)
        return "@ai-sdk/anthropic";
    return strcmp(provider, "openai") == 0 ? "@ai-sdk/openai" : "@ai-sdk/openai-compatible";
}

/* warm_up.h: a provider that refuses the connection. */
static cJSON *build_warm_up_providers(const char *provider)
{
    cJSON *options = cJSON_CreateObject();
    cJSON *models = cJSON_CreateObject();
    cJSON *warm_up = cJSON_CreateObject();
    cJSON *providers = cJSON_CreateObject();

    json_add_string(options, "baseURL", WARM_UP_BASE_URL);
    json_add_string(options, "apiKey", "none");
    json_put(models, WARM_UP_MODEL, cJSON_CreateObject());
    json_add_string(warm_up, "npm", sdk_of(provider));
    json_put(warm_up, "options", options);
    json_put(warm_up, "models", models);
    json_put(providers, WARM_UP_PROVIDER, warm_up);
    return providers;
}

char *config_content_build(const struct config *config)
{
    AUTO_JSON cJSON *content = cJSON_CreateObject();
    AUTO_FREE char *full_model = NULL;
    size_t size = strlen(config->provider) + strlen(config->model) + 2;
    cJSON *mcp = build_mcp(config->session);

    full_model = malloc(size);
    if (!content || !full_model) {
        cJSON_Delete(mcp);
        return NULL;
    }
    snprintf(full_model, size, "%s/%s", config->provider, config->model);
    json_add_string(content, "model", full_model);
    json_put(content, "permission", build_permission());
    if (!config->opencode_snapshot)
        json_add_bool(content, "snapshot", false);
    if (mcp && mcp->child)
        json_put(content, "mcp", mcp);
    else
        cJSON_Delete(mcp);
    json_put(content, "provider", build_warm_up_providers(config->provider));
    return json_to_string(content);
}

size_t config_content_mcp_count(const struct config *config)
{
    AUTO_JSON cJSON *mcp = build_mcp(config->session);

    return (size_t)cJSON_GetArraySize(mcp);
}
