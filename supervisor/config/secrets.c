#include "supervisor/config/secrets.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>
#include <strings.h>

/* ANTHROPIC_API_KEY, GH_TOKEN, AWS_SECRET_ACCESS_KEY, VNC_PASSWORD, ... */
static bool names_secret(const char *name, size_t len)
{
    static const char *const endings[] = {"KEY",    "TOKEN",      "SECRET",     "PASSWORD",
                                          "PASSWD", "CREDENTIAL", "CREDENTIALS"};

    for (size_t i = 0; i < ARRAY_LENGTH(endings); i++) {
        size_t ending = strlen(endings[i]);

        if (len >= ending && strncasecmp(name + len - ending, endings[i], ending) == 0)
            return true;
    }
    return false;
}

/* "Bearer abc": also the token alone, which is how a server may print it. */
static void add_words(struct redact *redact, const char *value)
{
    const char *last = strrchr(value, ' ');

    redact_add_secret(redact, value);
    if (last)
        redact_add_secret(redact, last + 1);
}

/* Whatever the launcher put there: nobody would hide what is public. A path is no secret, and without
 * it half the log would be unreadable. */
static void add_members(struct redact *redact, const cJSON *object)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, object) {
        if (cJSON_IsString(member) && member->valuestring[0] != '/')
            add_words(redact, member->valuestring);
    }
}

/* A token in the query of a server's URL, which OpenCode prints when it cannot connect. */
static void add_query(struct redact *redact, const char *url)
{
    const char *at = url ? strchr(url, '?') : NULL;

    while (at) {
        const char *end = at + 1 + strcspn(at + 1, "&#");
        const char *value = memchr(at, '=', (size_t)(end - at));
        AUTO_FREE char *copy = value ? strndup(value + 1, (size_t)(end - value - 1)) : NULL;

        redact_add_secret(redact, copy);
        at = *end == '&' ? end : NULL;
    }
}

void secrets_register(struct redact *redact, const struct config *config, char *const *variables)
{
    const char *const known[] = {config->auth_token, config->git_token, config->opencode_password,
                                 config->build.token};
    const cJSON *server;

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        redact_add_secret(redact, known[i]);
    for (; *variables; variables++) {
        const char *equals = strchr(*variables, '=');

        if (equals && names_secret(*variables, (size_t)(equals - *variables)))
            redact_add_secret(redact, equals + 1);
    }
    cJSON_ArrayForEach(server, json_get_array(config->session, "mcp_servers")) {
        add_members(redact, json_get(server, "headers"));
        add_members(redact, json_get(server, "env"));
        add_query(redact, json_get_string(server, "url"));
    }
}
