#include "supervisor/boot/boot_plan.h"

#include "common/cleanup.h"
#include "supervisor/credentials/credential_setup.h"
#include "supervisor/git_sync/git_sync_request.h"
#include "supervisor/mcp/mcp_install.h"
#include "supervisor/opencode/opencode.h"
#include "supervisor/opencode/warm_up.h"
#include "supervisor/skills/skills.h"
#include "supervisor/staging/assembly.h"

#define BIT(step) (1U << BOOT_STEP_##step)
#define MS_PER_S 1000

static const char *const step_names[] = {
    [BOOT_STEP_MANIFEST] = "manifest",
    [BOOT_STEP_STAGE] = "stage",
    [BOOT_STEP_SYNC] = "sync",
    [BOOT_STEP_CREDENTIALS] = "credentials",
    [BOOT_STEP_BASELINES] = "baselines",
    [BOOT_STEP_SETUP] = "setup",
    [BOOT_STEP_START] = "start",
    [BOOT_STEP_OPENCODE] = "opencode",
    [BOOT_STEP_WARM_UP] = "warm_up",
    [BOOT_STEP_BRIDGE] = "bridge",
    [BOOT_STEP_TUNNEL] = "tunnel",
    [BOOT_STEP_GUIDE] = "guide",
    [BOOT_STEP_MCP] = "mcp",
    [BOOT_STEP_SKILLS] = "skills",
    [BOOT_STEP_SKILLS_FETCH] = "skills_fetch",
    [BOOT_STEP_ASSEMBLY] = "assembly",
};
_Static_assert(ARRAY_LENGTH(step_names) == BOOT_STEP_COUNT, "every step has a name");

/* What a prompt may look at, so nothing of a checkout is read before. */
#define CHECKOUTS_READY                                                                         \
    (BIT(MANIFEST) | BIT(STAGE) | BIT(BASELINES) | BIT(CREDENTIALS) | BIT(SETUP) | BIT(START) | \
     BIT(GUIDE) | BIT(MCP) | BIT(SKILLS) | BIT(ASSEMBLY))

/* What must be done first, whatever the mode. */
static const unsigned needs[] = {
    [BOOT_STEP_MANIFEST] = 0,
    [BOOT_STEP_STAGE] = 0,
    [BOOT_STEP_CREDENTIALS] = 0,
    [BOOT_STEP_SYNC] = BIT(MANIFEST),
    [BOOT_STEP_BASELINES] = BIT(SYNC),
    [BOOT_STEP_SETUP] = BIT(BASELINES) | BIT(CREDENTIALS),
    [BOOT_STEP_TUNNEL] = BIT(MANIFEST),
    [BOOT_STEP_START] = BIT(BASELINES) | BIT(CREDENTIALS) | BIT(SETUP) | BIT(TUNNEL),
    [BOOT_STEP_GUIDE] = BIT(BASELINES) | BIT(SETUP) | BIT(START),
    [BOOT_STEP_MCP] = 0,
    [BOOT_STEP_SKILLS_FETCH] = 0,
    [BOOT_STEP_ASSEMBLY] = BIT(BASELINES) | BIT(SETUP) | BIT(START),
    /* S-408: names that are used in the checkouts are left out. */
    [BOOT_STEP_SKILLS] =
        BIT(SKILLS_FETCH) | BIT(STAGE) | BIT(BASELINES) | BIT(SETUP) | BIT(START) | BIT(ASSEMBLY),
    [BOOT_STEP_OPENCODE] = BIT(STAGE),
    [BOOT_STEP_WARM_UP] = BIT(OPENCODE) | CHECKOUTS_READY,
    [BOOT_STEP_BRIDGE] = BIT(MANIFEST),
};
_Static_assert(ARRAY_LENGTH(needs) == BOOT_STEP_COUNT, "every step says what it needs");

const char *boot_plan_step_name(enum boot_step step)
{
    return step_names[step];
}

/* What its failure is in table 2.4. */
static const enum boot_risk step_risks[] = {
    [BOOT_STEP_MANIFEST] = BOOT_RISK_MANIFEST,
    [BOOT_STEP_STAGE] = BOOT_RISK_STAGING,
    [BOOT_STEP_CREDENTIALS] = BOOT_RISK_CREDENTIALS,
    [BOOT_STEP_SYNC] = BOOT_RISK_SYNC,
    [BOOT_STEP_BASELINES] = BOOT_RISK_MANIFEST,
    [BOOT_STEP_SETUP] = BOOT_RISK_SETUP,
    [BOOT_STEP_START] = BOOT_RISK_FIRST_START,
    [BOOT_STEP_OPENCODE] = BOOT_RISK_OPENCODE,
    [BOOT_STEP_WARM_UP] = BOOT_RISK_WARM_UP,
    [BOOT_STEP_BRIDGE] = BOOT_RISK_BRIDGE,
    [BOOT_STEP_TUNNEL] = BOOT_RISK_TUNNEL,
    [BOOT_STEP_GUIDE] = BOOT_RISK_GUIDE,
    [BOOT_STEP_MCP] = BOOT_RISK_MCP,
    [BOOT_STEP_SKILLS] = BOOT_RISK_SKILLS,
    [BOOT_STEP_SKILLS_FETCH] = BOOT_RISK_SKILLS,
    [BOOT_STEP_ASSEMBLY] = BOOT_RISK_STAGING,
};
_Static_assert(ARRAY_LENGTH(step_risks) == BOOT_STEP_COUNT, "every step may fail");

/* Section 2.7. */
static uint64_t limit_ms(const struct boot_plan_input *input, enum boot_step step)
{
    bool clones = input->mode == BOOT_FRESH || input->mode == BOOT_BUILD;

    switch (step) {
    case BOOT_STEP_CREDENTIALS:
        return CREDENTIAL_INSTALL_LIMIT_MS;
    case BOOT_STEP_SYNC:
        return MS_PER_S * (clones ? GIT_SYNC_CLONE_LIMIT_S : GIT_SYNC_FETCH_LIMIT_S);
    case BOOT_STEP_SETUP:
        return input->setup_limit_ms;
    case BOOT_STEP_START:
        return input->start_limit_ms;
    case BOOT_STEP_TUNNEL:
        return input->tunnel_limit_ms;
    case BOOT_STEP_OPENCODE:
        return OPENCODE_START_LIMIT_MS;
    case BOOT_STEP_WARM_UP:
        return WARM_UP_LIMIT_MS;
    case BOOT_STEP_MCP:
        return MCP_INSTALL_LIMIT_MS;
    case BOOT_STEP_SKILLS_FETCH:
        return SKILLS_FETCH_LIMIT_MS;
    case BOOT_STEP_SKILLS:
        return SKILLS_INSTALL_LIMIT_MS;
    case BOOT_STEP_ASSEMBLY:
        return ASSEMBLY_LIMIT_MS;
    case BOOT_STEP_MANIFEST:
    case BOOT_STEP_STAGE:
    case BOOT_STEP_BASELINES:
    case BOOT_STEP_GUIDE:
    case BOOT_STEP_BRIDGE:
    case BOOT_STEP_COUNT:
        break;
    }
    return 0;
}

static bool step_runs(const struct boot_plan_input *input, enum boot_step step)
{
    bool build = input->mode == BOOT_BUILD;

    switch (step) {
    case BOOT_STEP_MANIFEST:
    case BOOT_STEP_GUIDE:
        return true;
    case BOOT_STEP_CREDENTIALS:
    case BOOT_STEP_SYNC:
    case BOOT_STEP_BASELINES:
        return input->has_repositories;
    case BOOT_STEP_SETUP:
        return input->has_repositories && (build || input->mode == BOOT_FRESH);
    case BOOT_STEP_START:
        return input->has_repositories && !build;
    case BOOT_STEP_TUNNEL:
        return input->has_repositories && !build && input->tunnels_expected;
    case BOOT_STEP_MCP:
        return !build && input->mcp_packages_wanted;
    case BOOT_STEP_SKILLS_FETCH:
    case BOOT_STEP_SKILLS:
        return !build && input->skills_wanted;
    case BOOT_STEP_ASSEMBLY:
        return !build && input->has_repositories;
    case BOOT_STEP_STAGE:
    case BOOT_STEP_OPENCODE:
    case BOOT_STEP_WARM_UP:
        return !build;
    case BOOT_STEP_BRIDGE:
        return !build && input->bridge_wanted;
    case BOOT_STEP_COUNT:
        break;
    }
    return false;
}

struct boot_plan_input boot_plan_input_of(const struct config *config, bool own_bridge)
{
    return (struct boot_plan_input){
        .era = config->era,
        .mode = config->boot_mode,
        .has_repositories = config->repositories.count > 0,
        .skills_wanted = skills_are_wanted(config),
        .mcp_packages_wanted = mcp_install_is_wanted(config),
        .tunnels_expected = config->era == ERA_CURRENT && config->tunnel_ports.count > 0,
        .bridge_wanted = config->boot_mode != BOOT_BUILD && *config->control_plane_url &&
                         *config->session_id, /* S-322 */
        .bridge_waits_for_ready =
            own_bridge, /* another's takes prompts as soon as it runs (S-101) */
        .opencode_starts_early = own_bridge,
        .setup_limit_ms = config->setup_timeout_ms,
        .start_limit_ms = config->start_timeout_ms,
        .tunnel_limit_ms = config->tunnel_timeout_ms,
        .budget_ms = config->build.budget_ms,
    };
}

struct boot_plan boot_plan_make(const struct boot_plan_input *input)
{
    struct boot_plan plan = {.budget_ms = input->mode == BOOT_BUILD ? input->budget_ms : 0};

    for (enum boot_risk risk = 0; risk < BOOT_RISK_COUNT; risk++)
        plan.risks[risk] = boot_risk_failure(risk, input->era, input->mode);
    for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++) {
        enum boot_failure failure = plan.risks[step_risks[step]];

        plan.steps[step] = (struct boot_plan_step){
            .runs = step_runs(input, step),
            .needs = needs[step],
            .limit_ms = limit_ms(input, step),
            .failure = failure,
            .later_failure = failure,
        };
    }
    plan.steps[BOOT_STEP_START].later_failure = plan.risks[BOOT_RISK_LATER_START];
    if (!input->opencode_starts_early)
        plan.steps[BOOT_STEP_OPENCODE].needs |= CHECKOUTS_READY;
    if (!input->bridge_waits_for_ready)
        plan.steps[BOOT_STEP_BRIDGE].needs |= BIT(WARM_UP);
    return plan;
}

unsigned boot_plan_next(const struct boot_plan *plan, unsigned begun, unsigned done)
{
    unsigned skipped = 0;
    unsigned next = 0;

    for (unsigned step = 0; step < BOOT_STEP_COUNT; step++) {
        if (!plan->steps[step].runs)
            skipped |= 1U << step;
    }
    for (unsigned step = 0; step < BOOT_STEP_COUNT; step++) {
        bool waits = (plan->steps[step].needs & ~(done | skipped)) != 0;

        if (!((begun | skipped) >> step & 1) && !waits)
            next |= 1U << step;
    }
    return next;
}

bool boot_plan_waits_for(const struct boot_plan *plan, unsigned begun, unsigned done,
                         enum boot_step step)
{
    unsigned now = boot_plan_next(plan, begun, done);
    unsigned with_it = boot_plan_next(plan, begun, done | 1U << step);

    return (with_it & ~now) != 0;
}

bool boot_plan_is_done(const struct boot_plan *plan, unsigned done)
{
    for (unsigned step = 0; step < BOOT_STEP_COUNT; step++) {
        if (plan->steps[step].runs && !(done >> step & 1))
            return false;
    }
    return true;
}
