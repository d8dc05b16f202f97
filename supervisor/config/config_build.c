#include "supervisor/config/config_build.h"

#include "common/cleanup.h"
#include "common/version.h"

#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000
#define BUDGET_MOST_S (7L * 24 * 3600)

static void parse_callback(struct config_build *build, bool from_modal,
                           const struct config_env *env)
{
    const struct {
        const char *name;
        char **value;
    } variables[] = {
        {"OI_REPO_IMAGE_BUILD_ID", &build->id},
        {"OI_REPO_IMAGE_CALLBACK_URL", &build->success_url},
        {"OI_REPO_IMAGE_FAILURE_CALLBACK_URL", &build->failure_url},
        {from_modal ? "MODAL_SANDBOX_ID" : "OI_REPO_IMAGE_PROVIDER_SESSION_ID",
         &build->provider_session_id},
        {"OI_REPO_IMAGE_CALLBACK_TOKEN", &build->token},
    };
    size_t count = ARRAY_LENGTH(variables) - (from_modal ? 1 : 0);

    /* S-424: presence counts; one means that all are meant. */
    build->has_callback = from_modal;
    for (size_t i = 0; i < count; i++)
        build->has_callback = build->has_callback || config_env_has(env, variables[i].name);
    for (size_t i = 0; build->has_callback && i < count; i++) {
        *variables[i].value = config_env_copy(env, variables[i].name, "");
        if (!config_env_get(env, variables[i].name))
            config_env_problem(env, variables[i].name,
                               "is missing; a build's callback needs it: set all of its variables, "
                               "or none");
    }
    /* A build of half an hour that cannot tell anybody is better not begun. */
    if (build->success_url && *build->success_url)
        config_env_check_url(env, "OI_REPO_IMAGE_CALLBACK_URL", build->success_url);
    if (build->failure_url && *build->failure_url)
        config_env_check_url(env, "OI_REPO_IMAGE_FAILURE_CALLBACK_URL", build->failure_url);
}

static void parse_budget(struct config_build *build, const struct config_env *env)
{
    const char *text = config_env_get(env, "OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS");
    long seconds;

    if (!text)
        return;
    if (!config_env_parse_whole(text, &seconds) || seconds <= 0 || seconds > BUDGET_MOST_S)
        buf_printf(env->problems,
                   "OI_IMAGE_BUILD_EXECUTION_TIMEOUT_SECONDS: must be a whole number of seconds "
                   "from 1 to %ld\n",
                   BUDGET_MOST_S);
    else
        build->budget_ms = (uint64_t)seconds * MS_PER_S;
}

static bool has_everything(const struct config_build *build, bool from_modal)
{
    if (!build->runtime_version)
        return false;
    return !build->has_callback || (build->id && build->success_url && build->failure_url &&
                                    build->provider_session_id && (build->token || from_modal));
}

int config_build_parse(struct config_build *build, bool from_modal, const struct config_env *env)
{
    *build = (struct config_build){0};
    parse_callback(build, from_modal, env);
    parse_budget(build, env);
    build->runtime_version = config_env_copy(env, "SANDBOX_VERSION", version_runtime());
    return has_everything(build, from_modal) ? 0 : -1;
}

bool config_build_has_address(const struct config_build *build)
{
    const char *const parts[] = {build->id, build->success_url, build->failure_url,
                                 build->provider_session_id};

    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
        if (!parts[i] || !*parts[i])
            return false;
    }
    return true;
}

size_t config_build_missing(const struct config_build *build,
                            const char *names[CONFIG_BUILD_VARIABLES])
{
    const struct {
        const char *name, *value;
    } variables[CONFIG_BUILD_VARIABLES] = {
        {"OI_REPO_IMAGE_BUILD_ID", build->id},
        {"OI_REPO_IMAGE_CALLBACK_URL", build->success_url},
        {"OI_REPO_IMAGE_FAILURE_CALLBACK_URL", build->failure_url},
        {"OI_REPO_IMAGE_CALLBACK_TOKEN", build->token},
        {build->token ? "OI_REPO_IMAGE_PROVIDER_SESSION_ID" : "MODAL_SANDBOX_ID",
         build->provider_session_id},
    };
    size_t count = 0;

    for (size_t i = 0; i < CONFIG_BUILD_VARIABLES; i++)
        names[i] = NULL;
    for (size_t i = 0; build->has_callback && i < CONFIG_BUILD_VARIABLES; i++) {
        /* Modal's token comes later, on standard input. */
        if (variables[i].value && !*variables[i].value)
            names[count++] = variables[i].name;
    }
    return count;
}

void config_build_free(struct config_build *build)
{
    free(build->id);
    free(build->success_url);
    free(build->failure_url);
    if (build->token)
        explicit_bzero(build->token, strlen(build->token));
    free(build->token);
    free(build->provider_session_id);
    free(build->runtime_version);
    *build = (struct config_build){0};
}
