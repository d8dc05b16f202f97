/*
 * Which npm packages the session's MCP servers start through npx (S-301, S-303). Pure.
 */
#ifndef SUPERVISOR_MCP_MCP_PACKAGES_H
#define SUPERVISOR_MCP_MCP_PACKAGES_H

#include <cJSON.h>
#include <stdbool.h>

/* "@scope/name@version", each but the name optional. */
bool mcp_package_is_valid(const char *package);

/* Arrays of strings, in the order of the servers and each once, for the caller to delete. `invalid`: what
 * npx is given and is no package's name. */
struct mcp_packages {
    cJSON *valid;
    cJSON *invalid;
};

/* `session` is SESSION_CONFIG. */
struct mcp_packages mcp_packages_of(const cJSON *session);
void mcp_packages_free(struct mcp_packages *packages);

#endif
