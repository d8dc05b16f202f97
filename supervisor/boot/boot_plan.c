#include "supervisor/boot/boot_plan.h"

#include "common/cleanup.h"
#include "supervisor/mcp/mcp_install.h"
#include "supervisor/skills/skills.h"

#define BIT(step) (1U << BOOT_STEP_##step)

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

/* S-111 */
static enum boot_failure sync_failure(const struct boot_plan_input *input)
{
    if (input->era == ERA_LEGACY)
        return BOOT_FAILURE_LOGGED;
    return input->mode == BOOT_FRESH || input->mode == BOOT_BUILD ? BOOT_FAILURE_FATAL
                                                                  : BOOT_FAILURE_WARNING;
}

/* S-112 */
static enum boot_failure setup_failure(const struct boot_plan_input *input)
{
    if (input->era == ERA_LEGACY)
        return BOOT_FAILURE_LOGGED;
    return input->mode == BOOT_BUILD ? BOOT_FAILURE_FATAL : BOOT_FAILURE_WARNING;
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
    };
}

struct boot_plan boot_plan_make(const struct boot_plan_input *input)
{
    struct boot_plan plan = {0};

    for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++) {
        plan.steps[step] = (struct boot_plan_step){
            .runs = step_runs(input, step),
            .needs = needs[step],
            .failure = BOOT_FAILURE_FATAL,
            .later_failure = BOOT_FAILURE_FATAL,
        };
    }
    plan.steps[BOOT_STEP_MANIFEST].failure = BOOT_FAILURE_LOGGED; /* S-108 */
    plan.steps[BOOT_STEP_MCP].failure = BOOT_FAILURE_LOGGED;      /* S-121 */
    plan.steps[BOOT_STEP_BASELINES].failure = BOOT_FAILURE_LOGGED;
    plan.steps[BOOT_STEP_GUIDE].failure = BOOT_FAILURE_LOGGED;
    plan.steps[BOOT_STEP_CREDENTIALS].failure = BOOT_FAILURE_LOGGED; /* S-109 */
    plan.steps[BOOT_STEP_TUNNEL].failure = BOOT_FAILURE_LOGGED;      /* S-113 */
    plan.steps[BOOT_STEP_SYNC].failure = sync_failure(input);
    plan.steps[BOOT_STEP_SETUP].failure = setup_failure(input);
    plan.steps[BOOT_STEP_SETUP].later_failure = setup_failure(input);
    /* S-114, S-115; decision 4 for the older era. */
    plan.steps[BOOT_STEP_START].failure =
        input->era == ERA_LEGACY ? BOOT_FAILURE_WARNING : BOOT_FAILURE_FATAL;
    plan.steps[BOOT_STEP_START].later_failure = BOOT_FAILURE_WARNING;
    /* What it saves the first prompt is not worth a sandbox. */
    plan.steps[BOOT_STEP_WARM_UP].failure = BOOT_FAILURE_LOGGED;
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
