/*
 * Which values must never be printed (S-215, S-315): those the supervisor is given, every variable
 * whose name says that it holds a secret, and what MCP servers are authorised with. Pure.
 */
#ifndef SUPERVISOR_CONFIG_SECRETS_H
#define SUPERVISOR_CONFIG_SECRETS_H

#include "common/redact.h"
#include "supervisor/config/config.h"

/* `variables`: the environment, as in `environ`. */
void secrets_register(struct redact *redact, const struct config *config, char *const *variables);

#endif
