/*
 * OpenCode's configuration as JSON for OPENCODE_CONFIG_CONTENT (S-300, S-305, S-306). Pure.
 */
#ifndef SUPERVISOR_OPENCODE_CONFIG_CONTENT_H
#define SUPERVISOR_OPENCODE_CONFIG_CONTENT_H

#include <cJSON.h>

/* `session` is SESSION_CONFIG, read for mcp_servers. The text is the caller's to free; NULL when
 * out of memory. */
char *config_content_build(const char *provider, const char *model, const cJSON *session);

#endif
