#include "supervisor/boot/boot_assets.h"

static void on_mcp_done(void *user)
{
    struct boot_assets *assets = user;

    assets->listener.on_done(assets->listener.user, BOOT_STEP_MCP, NULL);
}

static void on_skills_done(void *user, const struct err *err)
{
    struct boot_assets *assets = user;

    assets->listener.on_done(assets->listener.user,
                             assets->skills.fetched ? BOOT_STEP_SKILLS : BOOT_STEP_SKILLS_FETCH,
                             err);
}

static void on_override(void *user, const char *message, const struct repository *winner)
{
    struct boot_assets *assets = user;

    assets->listener.on_warning(assets->listener.user, "assembly", message, winner);
}

static void on_assembly_done(void *user, const struct err *err)
{
    struct boot_assets *assets = user;

    assets->listener.on_done(assets->listener.user, BOOT_STEP_ASSEMBLY, err);
}

void boot_assets_init(struct boot_assets *assets, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config,
                      struct boot_assets_listener listener)
{
    *assets = (struct boot_assets){.listener = listener};
    mcp_install_init(&assets->mcp, loop, reaper, log, config, on_mcp_done, assets);
    skills_init(&assets->skills, loop, reaper, log, config, on_skills_done, assets);
    assembly_init(&assets->assembly, loop, reaper, log, config,
                  (struct assembly_listener){
                      .on_override = on_override, .on_done = on_assembly_done, .user = assets});
}

void boot_assets_close(struct boot_assets *assets)
{
    mcp_install_close(&assets->mcp);
    skills_close(&assets->skills);
    assembly_close(&assets->assembly);
}

void boot_assets_begin(struct boot_assets *assets, enum boot_step step, uint64_t limit_ms)
{
    if (step == BOOT_STEP_MCP)
        mcp_install_start(&assets->mcp, limit_ms);
    else if (step == BOOT_STEP_SKILLS_FETCH)
        skills_fetch(&assets->skills, limit_ms);
    else if (step == BOOT_STEP_SKILLS)
        skills_install(&assets->skills, limit_ms);
    else
        assembly_start(&assets->assembly, limit_ms);
}

void boot_assets_kill(struct boot_assets *assets)
{
    mcp_install_kill(&assets->mcp);
    skills_kill(&assets->skills);
    assembly_kill(&assets->assembly);
}

bool boot_assets_are_busy(const struct boot_assets *assets)
{
    return mcp_install_is_running(&assets->mcp) || assets->skills.fetching.process.running ||
           assets->skills.installing.process.running || assets->assembly.worker.process.running;
}
