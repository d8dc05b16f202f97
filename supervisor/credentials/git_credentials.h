/*
 * The program under its second name, oi-git-credentials: git's credential helper (contract 3.9), so
 * that git, git-lfs and gh in a sandbox work without any token in a file or a URL. Diagnostics go to
 * standard error, standard output carries the protocol only.
 */
#ifndef SUPERVISOR_CREDENTIALS_GIT_CREDENTIALS_H
#define SUPERVISOR_CREDENTIALS_GIT_CREDENTIALS_H

#include "supervisor/credentials/credential.h"

#define GIT_CREDENTIALS_NAME "oi-git-credentials"
/* In the installed configuration: a session of the older contract (S-233). */
#define GIT_CREDENTIALS_LEGACY "--legacy-env"

/* `words` are its arguments: [--legacy-env] [get | gh-token | store | erase | --help]. The whole life of
 * the process; returns its exit status. */
int git_credentials_main(int count, char *const words[]);

/* The credential for gh, if one is to be given (S-244); what hinders is said on standard error. */
int git_credentials_for_gh(struct credential *credential);

#endif
