/*
 * The steps of the boot that bring what OpenCode loads from elsewhere: the npm packages of MCP servers, the
 * session's managed skills, and the `.opencode` of several repositories made into one. Each runs in a
 * process of its own, beside git where it can. Embedded in struct boot, and closed with it.
 */
#ifndef SUPERVISOR_BOOT_BOOT_ASSETS_H
#define SUPERVISOR_BOOT_BOOT_ASSETS_H

#include "supervisor/boot/boot_plan.h"
#include "supervisor/mcp/mcp_install.h"
#include "supervisor/skills/skills.h"
#include "supervisor/staging/assembly.h"

struct boot_assets_listener {
    void (*on_done)(void *user, enum boot_step step,
                    const struct err *err); /* NULL: it went well */
    void (*on_warning)(void *user, const char *scope, const char *message,
                       const struct repository *repository);
    void *user;
};

struct boot_assets {
    struct boot_assets_listener listener;
    struct mcp_install mcp;
    struct skills skills;
    struct assembly_run assembly;
};

void boot_assets_init(struct boot_assets *assets, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config,
                      struct boot_assets_listener listener);
void boot_assets_close(struct boot_assets *assets);

/* `step` is one of BOOT_STEP_MCP, _SKILLS_FETCH, _ASSEMBLY and _SKILLS. */
void boot_assets_begin(struct boot_assets *assets, enum boot_step step, uint64_t limit_ms);

void boot_assets_kill(struct boot_assets *assets);
bool boot_assets_are_busy(const struct boot_assets *assets);

#endif
