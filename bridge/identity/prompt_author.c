#include "bridge/identity/prompt_author.h"

#include "common/json.h"
#include "common/trim.h"

#include <stdlib.h>
#include <string.h>

static void set(struct prompt_author *out, enum prompt_author_kind kind, char *name, char *email)
{
    *out = (struct prompt_author){
        .kind = name && email ? kind : PROMPT_AUTHOR_INVALID, .name = name, .email = email};
}

/* B-901. */
static void read_current(const cJSON *identity, struct prompt_author *out)
{
    const char *mode = json_get_string(identity, "mode");

    if (mode && strcmp(mode, "agent-only") == 0)
        out->kind = PROMPT_AUTHOR_AGENT;
    else if (mode && strcmp(mode, "attributed-user") == 0)
        set(out, PROMPT_AUTHOR_USER, trim_copy(json_get_string(identity, "name")),
            trim_copy(json_get_string(identity, "email")));
    else
        out->kind = PROMPT_AUTHOR_INVALID;
}

static char *text_or(const cJSON *object, const char *key, const char *otherwise)
{
    const char *text = json_get_nonempty(object, key);

    return strdup(text ? text : otherwise);
}

void prompt_author_read(const cJSON *author, struct prompt_author *out)
{
    const char *name = json_get_nonempty(author, "githubName");
    const char *email = json_get_nonempty(author, "githubEmail");
    const cJSON *identity = json_get(author, "gitIdentity");

    *out = (struct prompt_author){.kind = PROMPT_AUTHOR_ABSENT};
    if (identity && !cJSON_IsNull(identity))
        read_current(identity, out);
    else if (json_get(author, "scmName") || json_get(author, "scmEmail"))
        set(out, PROMPT_AUTHOR_MIDDLE, text_or(author, "scmName", PROMPT_AUTHOR_BOT_NAME),
            text_or(author, "scmEmail", PROMPT_AUTHOR_BOT_EMAIL));
    else if (name && email)
        set(out, PROMPT_AUTHOR_OLDER, strdup(name), strdup(email));
}

void prompt_author_clear(struct prompt_author *author)
{
    free(author->name);
    free(author->email);
    *author = (struct prompt_author){0};
}
