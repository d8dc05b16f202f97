#include "supervisor/opencode/config_content.h"

#include "common/cleanup.h"
#include "common/json.h"

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

/* A copy of a member that is an object or array with something in it; NULL otherwise. */
static cJSON *copy_filled(const cJSON *server, const char *key)
{
    const cJSON *value = json_get(server, key);

    return (cJSON_IsObject(value) || cJSON_IsArray(value)) && value->child
               ? cJSON_Duplicate(value, true)
               : NULL;
}

static cJSON *build_remote_server(const cJSON *server)
{
    cJSON *out = cJSON_CreateObject();
    const char *url = json_get_string(server, "url");
    cJSON *headers = copy_filled(server, "headers");

    if (!headers)
        headers = copy_filled(server, "env");
    json_add_string(out, "type", "remote");
    json_add_string(out, "url", url ? url : "");
    if (headers)
        json_put(out, "headers", headers);
    return out;
}

static cJSON *build_local_server(const cJSON *server)
{
    cJSON *out = cJSON_CreateObject();
    cJSON *command = copy_filled(server, "command");
    cJSON *environment = copy_filled(server, "env");

    json_add_string(out, "type", "local");
    json_put(out, "command", command ? command : cJSON_CreateArray());
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
    return json_to_string(content);
}
