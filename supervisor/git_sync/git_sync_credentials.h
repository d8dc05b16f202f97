/*
 * What the git worker answers when a remote wants credentials: those that the sandbox's own
 * credential helper would give (contract 3.9), with the same cache, so that several workers and the
 * agent's git share one request. Only asked when a remote wants some: public repositories do not.
 */
#ifndef SUPERVISOR_GIT_SYNC_GIT_SYNC_CREDENTIALS_H
#define SUPERVISOR_GIT_SYNC_GIT_SYNC_CREDENTIALS_H

#include "supervisor/credentials/credential.h"

/* A git_credentials_fn; `user` is the struct credential that then holds the strings, zeroed before
 * and freed by its owner. */
int git_sync_credentials_get(void *user, const char **username, const char **password,
                             struct err *err);

#endif
