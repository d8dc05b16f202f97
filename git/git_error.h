/*
 * libgit2's failures as struct err with a text that says what to do. Texts pass through redaction
 * here, for a remote may echo what it was given. Only git/ includes this.
 */
#ifndef GIT_GIT_ERROR_H
#define GIT_GIT_ERROR_H

#include "common/err.h"
#include "git/access.h"

#include <stdbool.h>

/* A failure without network: the text of libgit2's last error, "<doing>: " before it unless NULL.
 * Returns -1. */
int git_error_to_err(int code, const char *doing, struct err *err);

/* What is known about a network operation beside libgit2's last error. */
struct git_network_context {
    const struct git_access *access;
    const char *host;       /* what the effective URL names; may be NULL */
    bool asked_credentials; /* the server wanted some */
    bool gave_credentials;
    const char *username, *password;  /* that were given */
    const struct err *no_credentials; /* why there were none; class ERR_NONE: nobody was asked */
};

/* A failure of a network operation. The cause that socket_stream remembers wins. Returns -1. */
int git_network_error_to_err(int code, const struct git_network_context *context, struct err *err);

#endif
