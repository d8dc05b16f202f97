#include "supervisor/credentials/credential_source.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/url.h"
#include "supervisor/credentials/credential.h"
#include "supervisor/config/session_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GITHUB "github.com"
#define GITHUB_USERNAME "x-access-token"
#define ENDPOINT_MAX (16 * 1024)

struct variables {
    config_env_fn *env;
    void *user;
};

static const char *get(const struct variables *variables, const char *name)
{
    const char *value = variables->env(variables->user, name);

    return value && value[strspn(value, " \t\r\n\v\f")] ? value : NULL;
}

static const char *get_or(const struct variables *variables, const char *name,
                          const char *otherwise)
{
    const char *value = get(variables, name);

    return value ? value : otherwise;
}

static void refuse(struct credential_source *source, const char *why)
{
    source->kind = CREDENTIAL_REFUSED;
    source->refusal = why;
}

static void use_token(struct credential_source *source, const char *username, const char *token)
{
    source->kind = CREDENTIAL_STATIC;
    source->username = strdup(username);
    source->password = strdup(token);
    if (!source->username || !source->password)
        refuse(source, "out of memory");
}

static char *session_id_of(const struct variables *variables)
{
    const char *text = get(variables, "SESSION_CONFIG");
    AUTO_JSON cJSON *session = text ? session_parse(text, NULL) : NULL;
    char *id = session_text(session, "sessionId");

    return id ? id : session_text(session, "session_id");
}

static void use_broker(struct credential_source *source, const char *url, const char *token,
                       const char *session_id)
{
    AUTO_BUF struct buf endpoint = BUF_INIT(ENDPOINT_MAX);
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    buf_append(&endpoint, url, len);
    buf_puts(&endpoint, "/sessions/");
    url_encode(session_id, &endpoint);
    buf_puts(&endpoint, "/scm-credentials");
    source->kind = CREDENTIAL_BROKERED;
    source->token = strdup(token);
    source->endpoint = buf_take(&endpoint);
    if (!source->token || !source->endpoint)
        refuse(source, "CONTROL_PLANE_URL or the session id is too long");
}

void credential_source_read(struct credential_source *source, bool legacy, config_env_fn *env,
                            void *user)
{
    const struct variables variables = {.env = env, .user = user};
    const char *url = get(&variables, "CONTROL_PLANE_URL");
    const char *bearer = get(&variables, "SANDBOX_AUTH_TOKEN");
    const char *token = get(&variables, legacy ? "GITHUB_APP_TOKEN" : "VCS_CLONE_TOKEN");
    AUTO_FREE char *session_id = session_id_of(&variables);

    *source = (struct credential_source){0};
    source->host = strdup(legacy ? GITHUB : get_or(&variables, "VCS_HOST", GITHUB));
    if (!source->host)
        refuse(source, "out of memory");
    else if (!legacy && url && bearer && session_id)
        use_broker(source, url, bearer, session_id);
    /* S-231: a live session never falls back to a token that lies around. */
    else if (!legacy && (url || bearer))
        refuse(source, "the session is incomplete: CONTROL_PLANE_URL, SANDBOX_AUTH_TOKEN and "
                       "session_id in SESSION_CONFIG must all be set");
    else if (!token)
        refuse(source, legacy ? "GITHUB_APP_TOKEN is not set" : "VCS_CLONE_TOKEN is not set");
    else
        use_token(source,
                  legacy ? GITHUB_USERNAME
                         : get_or(&variables, "VCS_CLONE_USERNAME", GITHUB_USERNAME),
                  token);
}

void credential_source_free(struct credential_source *source)
{
    free(source->host);
    free(source->username);
    free(source->endpoint);
    credential_wipe(source->password);
    credential_wipe(source->token);
    *source = (struct credential_source){0};
}

bool credential_source_serves_gh(config_env_fn *env, void *user)
{
    const struct variables variables = {.env = env, .user = user};
    const char *fallback = get(&variables, "OI_GITHUB_TOKEN_IS_FALLBACK");
    bool is_fallback = fallback && strcmp(fallback, "1") == 0;

    if (strcasecmp(get_or(&variables, "VCS_HOST", GITHUB), GITHUB) != 0 ||
        get(&variables, "GH_TOKEN"))
        return false;
    return is_fallback ||
           (!get(&variables, "GITHUB_TOKEN") && !get(&variables, "GITHUB_APP_TOKEN"));
}
