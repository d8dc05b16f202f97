/*
 * Where credentials for the git host come from, as the environment says (S-230..S-233): the control
 * plane of a live session, a token that the launcher gave (image builds, and every session of the
 * older contract), or nowhere. Pure: it asks a function for variables. A source owns its strings.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_SOURCE_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_SOURCE_H

#include "supervisor/config/config.h"

enum credential_kind {
    CREDENTIAL_REFUSED,  /* nothing to give; `refusal` says why */
    CREDENTIAL_STATIC,   /* the token is here, and never cached */
    CREDENTIAL_BROKERED, /* to be asked of the control plane */
};

struct credential_source {
    enum credential_kind kind;
    const char *refusal;
    char *host;     /* the one host that is served, "host" or "host:port" */
    char *username; /* of CREDENTIAL_STATIC */
    char *password;
    char *endpoint; /* of CREDENTIAL_BROKERED: the URL to POST to */
    char *token;    /* its bearer */
};

/* `legacy`: the installed configuration says that this is a session of the older contract. */
void credential_source_read(struct credential_source *source, bool legacy, config_env_fn *env,
                            void *user);
void credential_source_free(struct credential_source *source);

/* Whether `gh` should be given a token of ours (S-244): only for github.com, and not when the user
 * has one of their own. */
bool credential_source_serves_gh(config_env_fn *env, void *user);

#endif
