/*
 * The boot as a graph (contract 2.2..2.4): which steps run in this era and mode, what each needs to
 * be done first, how long it may take, and what its failure means. Pure. Steps that do not need each other run at the same
 * time (S-100). The boot is over, and prompts may come, when every step that runs is done.
 */
#ifndef SUPERVISOR_BOOT_BOOT_PLAN_H
#define SUPERVISOR_BOOT_BOOT_PLAN_H

#include "supervisor/boot/boot_risks.h"
#include "supervisor/config/config.h"

#include <stdbool.h>
#include <stdint.h>

enum boot_step {
    BOOT_STEP_MANIFEST,     /* the repository manifest, before any child (S-220) */
    BOOT_STEP_STAGE,        /* OpenCode's tools and dependencies, outside the checkout */
    BOOT_STEP_CREDENTIALS,  /* the credential helper and the gh wrapper (S-224, S-242) */
    BOOT_STEP_SYNC,         /* clone or fetch all repositories */
    BOOT_STEP_BASELINES,    /* the manifest again, with what HEAD is now */
    BOOT_STEP_SETUP,        /* setup.sh */
    BOOT_STEP_TUNNEL,       /* the launcher's tunnel file, for start.sh */
    BOOT_STEP_START,        /* start.sh */
    BOOT_STEP_GUIDE,        /* the workspace's AGENTS.md */
    BOOT_STEP_MCP,          /* npm packages of MCP servers */
    BOOT_STEP_SKILLS_FETCH, /* managed skills, up to their staging */
    BOOT_STEP_ASSEMBLY,     /* what is in the repositories' `.opencode` */
    BOOT_STEP_SKILLS,       /* managed skills take their place */
    BOOT_STEP_OPENCODE,     /* up to its first healthy answer; nothing of a checkout is read yet */
    BOOT_STEP_WARM_UP,      /* OpenCode's instance of the work directory is brought up */
    BOOT_STEP_BRIDGE,
    BOOT_STEP_COUNT
};

struct boot_plan_step {
    bool runs;
    unsigned needs;    /* bit (1 << enum boot_step) */
    uint64_t limit_ms; /* of sync and hooks: for each repository; 0: it takes no time */
    enum boot_failure failure;
    enum boot_failure later_failure; /* of repositories but the first (S-115) */
};

struct boot_plan {
    struct boot_plan_step steps[BOOT_STEP_COUNT];
    enum boot_failure risks[BOOT_RISK_COUNT]; /* those of the steps, and what else may go wrong */
    uint64_t budget_ms;                       /* of a build (S-170); 0: none */
};

struct boot_plan_input {
    enum era era;
    enum boot_mode mode;
    bool has_repositories;
    bool skills_wanted;
    bool mcp_packages_wanted;
    bool tunnels_expected;
    bool bridge_wanted;
    uint64_t setup_limit_ms, start_limit_ms, tunnel_limit_ms;
    uint64_t budget_ms;          /* of a build; 0: none */
    bool bridge_waits_for_ready; /* ours: it may run before it may connect (S-101) */
    /* OpenCode may start before there is a checkout, because its clients name the directory they mean
     * (contract/opencode.md section 5). A foreign bridge asks about whatever OpenCode was started in. */
    bool opencode_starts_early;
};

/* What a configuration makes of it; `own_bridge`: no other program was named (--bridge-cmd). */
struct boot_plan_input boot_plan_input_of(const struct config *config, bool own_bridge);

struct boot_plan boot_plan_make(const struct boot_plan_input *input);

/* The steps that can begin now, as bits; `begun` and `done` are bits too. */
unsigned boot_plan_next(const struct boot_plan *plan, unsigned begun, unsigned done);

/* All that is left to do before some step is this one. Until then it may take its time, or fail and be
 * tried again. */
bool boot_plan_waits_for(const struct boot_plan *plan, unsigned begun, unsigned done,
                         enum boot_step step);

/* Every step that runs is done. */
bool boot_plan_is_done(const struct boot_plan *plan, unsigned done);

/* The step's name in `phase_ms` and in the bridge's boot messages: "sync", "setup", ... */
const char *boot_plan_step_name(enum boot_step step);

#endif
