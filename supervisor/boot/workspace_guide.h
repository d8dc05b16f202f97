/*
 * The AGENTS.md of a workspace with several repositories (S-222, S-223): it tells the agent what lies
 * side by side and how to open pull requests. Overwritten at every boot; taken away when it is ours
 * and there are fewer than two repositories.
 */
#ifndef SUPERVISOR_BOOT_WORKSPACE_GUIDE_H
#define SUPERVISOR_BOOT_WORKSPACE_GUIDE_H

#include "common/log.h"
#include "supervisor/config/config.h"

/* The text. Pure. `has_agents_md[i]`: repository i has an AGENTS.md of its own. */
void workspace_guide_print(const struct config *config, const bool *has_agents_md, struct buf *out);

/* A failure is only logged (S-108). */
void workspace_guide_write(const struct config *config, struct log *log);

#endif
