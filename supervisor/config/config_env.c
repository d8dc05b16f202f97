#include "supervisor/config/config_env.h"

#include "common/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool config_env_has(const struct config_env *env, const char *name)
{
    return env->look_up(env->user, name) != NULL;
}

const char *config_env_get(const struct config_env *env, const char *name)
{
    const char *value = env->look_up(env->user, name);

    return value && *value ? value : NULL;
}

char *config_env_copy(const struct config_env *env, const char *name, const char *otherwise)
{
    const char *value = config_env_get(env, name);

    return strdup(value ? value : otherwise);
}

bool config_env_is_true(const struct config_env *env, const char *name)
{
    const char *value = config_env_get(env, name);

    return value && strcmp(value, "true") == 0;
}

/* As Python's int() reads it, but for "_" between digits. */
bool config_env_parse_whole(const char *text, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, 10);
    return !errno && end != text && !end[strspn(end, " \t\r\n\v\f")];
}

uint64_t config_env_whole(const struct config_env *env, const char *name, const char *unit,
                          long least, long most, long otherwise)
{
    const char *text = config_env_get(env, name);
    long number;

    if (!text)
        return (uint64_t)otherwise;
    if (!config_env_parse_whole(text, &number) || number < least || number > most) {
        buf_printf(env->remarks, "%s: is no whole number of %s from %ld to %ld; using %ld\n", name,
                   unit, least, most, otherwise);
        number = otherwise;
    }
    return (uint64_t)number;
}

bool config_env_check_url(const struct config_env *env, const char *name, const char *url)
{
    AUTO_URL struct url parsed = {0};
    struct err err;

    if (strncasecmp(url, "http://", strlen("http://")) != 0 &&
        strncasecmp(url, "https://", strlen("https://")) != 0) {
        config_env_problem(env, name, "must begin with http:// or https://");
        return false;
    }
    if (url_parse(url, &parsed, &err) != 0) {
        config_env_problem(env, name, err.text);
        return false;
    }
    return true;
}

void config_env_problem(const struct config_env *env, const char *variable, const char *text)
{
    buf_printf(env->problems, "%s: %s\n", variable, text);
}
