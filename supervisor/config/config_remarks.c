#include "supervisor/config/config_remarks.h"

#include "common/cleanup.h"
#include "common/env.h"
#include "common/json.h"

#include <math.h>
#include <string.h>

/* S-13 */
static void look_at_repository(const struct config *config, const struct config_env *env)
{
    const char *owner = config_env_get(env, "REPO_OWNER");
    const char *name = config_env_get(env, "REPO_NAME");

    if (config->repositories.count > 0 || !owner == !name)
        return;
    buf_printf(env->remarks,
               "%s: is set without %s, so the sandbox has no repository; set both or none\n",
               owner ? "REPO_OWNER" : "REPO_NAME", owner ? "REPO_NAME" : "REPO_OWNER");
}

/* S-96: other spellings select nothing, and nobody would see why. */
static void look_at_switches(const struct config_env *env)
{
    static const char *const names[] = {"IMAGE_BUILD_MODE", "RESTORED_FROM_SNAPSHOT",
                                        "FROM_REPO_IMAGE"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const char *value = config_env_get(env, names[i]);

        if (value && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
            buf_printf(env->remarks, "%s: is not exactly \"true\", and so means nothing\n",
                       names[i]);
    }
}

/* The bridge says it too, but only when it has been started. */
static void look_at_bridge_limits(const struct config_env *env)
{
    static const struct {
        const char *name;
        bool may_be_endless;
        int otherwise_s;
    } limits[] = {
        {"SANDBOX_TIMEOUT_SECONDS", false, 7200},
        {"BRIDGE_SSE_INACTIVITY_TIMEOUT", true, 120},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(limits); i++) {
        const char *text = config_env_get(env, limits[i].name);
        double seconds;

        if (text && (env_parse_seconds(text, &seconds) != 0 || isnan(seconds) ||
                     (!limits[i].may_be_endless && (isinf(seconds) || seconds <= 0))))
            buf_printf(env->remarks, "%s: is no number of seconds; the bridge uses %d\n",
                       limits[i].name, limits[i].otherwise_s);
    }
}

/* S-58: what is no list is passed over. */
static void look_at_session(const struct config *config, const struct config_env *env)
{
    static const char *const lists[] = {"repositories", "mcp_servers"};

    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        const cJSON *value = json_get(config->session, lists[i]);

        if (value && !cJSON_IsNull(value) && !cJSON_IsArray(value))
            buf_printf(env->remarks, "SESSION_CONFIG: \"%s\" is no list and is passed over\n",
                       lists[i]);
    }
}

/* S-322 */
static void look_at_bridge(const struct config *config, const struct config_env *env)
{
    bool has_url = config_env_get(env, "CONTROL_PLANE_URL") != NULL;

    if (config->boot_mode == BOOT_BUILD || (has_url && *config->session_id))
        return;
    buf_printf(env->remarks, "%s: is missing, so there is no bridge and nobody can send prompts\n",
               has_url ? "SESSION_CONFIG: session_id" : "CONTROL_PLANE_URL");
}

void config_remarks_add(const struct config *config, const struct config_env *env)
{
    look_at_repository(config, env);
    look_at_switches(env);
    look_at_bridge_limits(env);
    look_at_session(config, env);
    look_at_bridge(config, env);
}
