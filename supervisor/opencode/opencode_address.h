/*
 * Where OpenCode is reached, with which credentials, and which directory is meant.
 */
#ifndef SUPERVISOR_OPENCODE_OPENCODE_ADDRESS_H
#define SUPERVISOR_OPENCODE_OPENCODE_ADDRESS_H

#include "common/buf.h"
#include "supervisor/config/config.h"

#define OPENCODE_CREDENTIALS_MAX 192

/* Where to connect when the server listens on `host`: an address of this machine. */
const char *opencode_address_reachable(const char *host);

/* Appends "Basic ..." of HTTP; poisons `out` when the two are longer than OPENCODE_CREDENTIALS_MAX. */
void opencode_address_authorization(const char *username, const char *password, struct buf *out);

/* The directory that a session works in: the only repository when its checkout is there now, else
 * the workspace (S-182). Belongs to `config`. */
const char *opencode_directory(const struct config *config);

#endif
