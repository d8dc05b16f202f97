#include "supervisor/process/child_env.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_variable(const char *entry, const char *name)
{
    size_t len = strlen(name);

    return strncmp(entry, name, len) == 0 && entry[len] == '=';
}

/* Takes `entry` over; the list keeps room for its NULL. */
static int append(struct child_env *env, char *entry)
{
    char **grown = realloc(env->variables, (env->count + 2) * sizeof *grown);

    if (!grown || !entry) {
        env->variables = grown ? grown : env->variables;
        free(entry);
        return -1;
    }
    env->variables = grown;
    env->variables[env->count++] = entry;
    env->variables[env->count] = NULL;
    return 0;
}

int child_env_copy(struct child_env *env, char *const *source)
{
    *env = (struct child_env){0};
    for (; *source; source++) {
        if (append(env, strdup(*source)) != 0) {
            child_env_free(env);
            return -1;
        }
    }
    return 0;
}

void child_env_free(struct child_env *env)
{
    for (size_t i = 0; i < env->count; i++)
        free(env->variables[i]);
    free(env->variables);
    *env = (struct child_env){0};
}

int child_env_set(struct child_env *env, const char *name, const char *value)
{
    size_t kept = 0;
    size_t size;
    char *entry;

    for (size_t i = 0; i < env->count; i++) {
        if (is_variable(env->variables[i], name))
            free(env->variables[i]);
        else
            env->variables[kept++] = env->variables[i];
    }
    env->count = kept;
    if (env->variables)
        env->variables[kept] = NULL;
    if (!value)
        return 0;
    size = strlen(name) + strlen(value) + 2;
    entry = malloc(size);
    if (entry)
        snprintf(entry, size, "%s=%s", name, value);
    return append(env, entry);
}
