#include "supervisor/config/config_remarks.h"

#include "common/bridge_limits.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/json.h"
#include "supervisor/config/session_text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

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

/* S-96, S-34: other spellings select nothing, and nobody would see why. */
static void look_at_switches(const struct config_env *env)
{
    static const struct {
        const char *name;
        int (*compare)(const char *one, const char *other);
    } switches[] = {
        {"IMAGE_BUILD_MODE", strcmp},
        {"RESTORED_FROM_SNAPSHOT", strcmp},
        {"FROM_REPO_IMAGE", strcmp},
        {"AGENT_SLACK_NOTIFY_ENABLED", strcasecmp},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(switches); i++) {
        const char *value = config_env_get(env, switches[i].name);

        if (value && switches[i].compare(value, "true") != 0 &&
            switches[i].compare(value, "false") != 0)
            buf_printf(
                env->remarks,
                "%s: is not \"true\", and so means nothing; write \"true\", or leave it out\n",
                switches[i].name);
    }
}

/* The bridge says it too, but only when it has been started. */
static void look_at_sandbox_timeout(const struct config_env *env)
{
    static const char name[] = "SANDBOX_TIMEOUT_SECONDS";
    const char *text = config_env_get(env, name);
    double seconds;

    if (text && (env_parse_seconds(text, &seconds) != 0 || !isfinite(seconds) || seconds <= 0))
        buf_printf(env->remarks, "%s: is no number of seconds; the bridge uses %d\n", name,
                   BRIDGE_SANDBOX_DEFAULT_S);
}

#define RANGE(variable, field, otherwise, least, most) {(variable), (otherwise), (least), (most)},

static void look_at_bridge_limits(const struct config_env *env)
{
    static const struct {
        const char *name;
        long otherwise, least, most;
    } ranges[] = {{"BRIDGE_SSE_INACTIVITY_TIMEOUT", BRIDGE_INACTIVITY_DEFAULT_S,
                   BRIDGE_INACTIVITY_LEAST_S, BRIDGE_INACTIVITY_MOST_S},
                  BRIDGE_LIMITS(RANGE)};

    for (size_t i = 0; i < ARRAY_LENGTH(ranges); i++) {
        const char *text = config_env_get(env, ranges[i].name);
        long least = ranges[i].least, most = ranges[i].most;
        double number;

        if (!text)
            continue;
        if (env_parse_seconds(text, &number) != 0 || isnan(number))
            buf_printf(env->remarks, "%s: is no number; the bridge uses %ld\n", ranges[i].name,
                       ranges[i].otherwise);
        else if (number < (double)least || number > (double)most)
            buf_printf(env->remarks, "%s: is not from %ld to %ld; the bridge uses %ld\n",
                       ranges[i].name, least, most, number < (double)least ? least : most);
    }
}

/* Section 8: nobody would know why they are not there. */
static void look_at_services(const struct config_env *env)
{
    static const struct {
        const char *name, *service;
    } services[] = {
        {"CODE_SERVER_PASSWORD", "an editor"},
        {"TERMINAL_ENABLED", "a terminal"},
        {"VNC_PASSWORD", "a desktop"},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(services); i++) {
        if (config_env_get(env, services[i].name))
            buf_printf(env->remarks, "%s: asks for %s, which this supervisor does not start\n",
                       services[i].name, services[i].service);
    }
}

/* What is passed over (S-58..S-60, S-66): `needs` are the fields without one of which that happens. */
static void look_at_list(const cJSON *session, const char *list, const char *const needs[],
                         struct buf *remarks)
{
    const cJSON *value = json_get(session, list);
    const cJSON *element;
    unsigned place = 0;

    if (value && !cJSON_IsNull(value) && !cJSON_IsArray(value))
        buf_printf(
            remarks,
            "SESSION_CONFIG: \"%s\" is no list and is passed over; make it a list of objects\n",
            list);
    if (!cJSON_IsArray(value))
        return;
    cJSON_ArrayForEach(element, value) {
        for (const char *const *need = needs; *need; need++) {
            AUTO_FREE char *text = session_text(element, *need);

            if (!text)
                buf_printf(remarks, "SESSION_CONFIG: %s[%u] has no %s and is passed over\n", list,
                           place, *need);
        }
        place++;
    }
}

static void look_at_session(const struct config *config, const struct config_env *env)
{
    static const char *const of_repositories[] = {"repo_owner", "repo_name", NULL};
    static const char *const of_servers[] = {"name", NULL};

    look_at_list(config->session, "repositories", of_repositories, env->remarks);
    look_at_list(config->session, "mcp_servers", of_servers, env->remarks);
}

/* S-322 */
static void look_at_bridge(const struct config *config, const struct config_env *env)
{
    bool has_url = config_env_get(env, "CONTROL_PLANE_URL") != NULL;
    bool has_session = *config->session_id || config->session_unknown;

    if (config->boot_mode == BOOT_BUILD)
        return;
    if (!has_url || !has_session)
        buf_printf(env->remarks,
                   "%s: is missing, so there is no bridge and nobody can send prompts\n",
                   has_url ? "SESSION_CONFIG: session_id" : "CONTROL_PLANE_URL");
    else if (!config_env_get(env, "SANDBOX_ID"))
        buf_printf(env->remarks, "SANDBOX_ID: is missing; the control plane is told \"%s\"\n",
                   config->sandbox_id);
}

/* What the bridge and all workers would find out only when they ask the control plane. */
static void look_at_proxies(const struct config_env *env)
{
    static const char http[] = "http://";
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "http_proxy",
                                        "HTTP_PROXY",  "all_proxy",   "ALL_PROXY"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const char *value = config_env_get(env, names[i]);

        if (value && strstr(value, "://") && strncasecmp(value, http, strlen(http)) != 0)
            buf_printf(env->remarks,
                       "%s: only proxies of the form http://host:port can be used; what it is for "
                       "cannot be reached\n",
                       names[i]);
    }
}

static void look_at_build(const struct config *config, const struct config_env *env)
{
    if (config->boot_mode != BOOT_BUILD)
        return;
    if (config->repositories.count == 0)
        buf_puts(env->remarks, "IMAGE_BUILD_MODE: there is no repository to build an image of; set "
                               "REPO_OWNER and REPO_NAME\n");
    if (!config->build.has_callback)
        buf_puts(env->remarks, "OI_REPO_IMAGE_CALLBACK_URL: is missing like all of a build's "
                               "callback, so nobody is told how it ends\n");
}

void config_remarks_add(const struct config *config, const struct config_env *env)
{
    look_at_repository(config, env);
    look_at_switches(env);
    look_at_sandbox_timeout(env);
    look_at_bridge_limits(env);
    look_at_services(env);
    look_at_session(config, env);
    look_at_bridge(config, env);
    look_at_proxies(env);
    look_at_build(config, env);
}
