/*
 * OpenCode's configuration as JSON for OPENCODE_CONFIG_CONTENT (S-300, S-305, S-306). Pure.
 *
 * Its snapshots are off unless asked for: nothing here reads them, and in a large tree they cost a
 * second at every step of the agent.
 */
#ifndef SUPERVISOR_OPENCODE_CONFIG_CONTENT_H
#define SUPERVISOR_OPENCODE_CONFIG_CONTENT_H

#include "supervisor/config/config.h"

/* The text is the caller's to free; NULL when out of memory. */
char *config_content_build(const struct config *config);

/* How many MCP servers it names (S-300). */
size_t config_content_mcp_count(const struct config *config);

#endif
