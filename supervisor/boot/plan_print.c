#include "supervisor/boot/plan_print.h"

#include "common/url.h"
#include "supervisor/credentials/credential_setup.h"
#include "supervisor/git_sync/git_sync_request.h"
#include "supervisor/mcp/mcp_install.h"
#include "supervisor/opencode/opencode.h"
#include "supervisor/opencode/warm_up.h"
#include "supervisor/skills/skills.h"
#include "supervisor/staging/assembly.h"

#include <string.h>

#define MS_PER_S 1000
#define NEEDS_MAX 512

static bool has(unsigned steps, unsigned step)
{
    return steps >> step & 1;
}

/* ---- what the plan is for ---- */

/* The launcher's URL may hold a name and a password. */
static void print_control_plane(const struct config *config, struct buf *out)
{
    AUTO_URL struct url url = {0};

    if (url_parse(config->control_plane_url, &url, NULL) == 0)
        url_print_host(&url, out);
}

static void print_bridge(const struct config *config, const struct boot_plan *plan, struct buf *out)
{
    buf_puts(out, "bridge       ");
    if (!plan->steps[BOOT_STEP_BRIDGE].runs) {
        buf_printf(out, "none: %s\n",
                   config->boot_mode == BOOT_BUILD ? "this is an image build"
                   : !*config->control_plane_url   ? "CONTROL_PLANE_URL is not set"
                                                   : "SESSION_CONFIG has no session_id");
        return;
    }
    buf_puts(out, "to ");
    print_control_plane(config, out);
    buf_printf(out, ", connects %s\n",
               config->bridge_early_connect ? "at once (bridge_early_connect)"
                                            : "when prompts can be answered");
}

/* S-231, S-228: who is asked for the password of git. */
static const char *password_source(const struct config *config)
{
    if (config->era == ERA_CURRENT && (*config->control_plane_url || *config->auth_token))
        return "from the control plane";
    if (!*config->git_token)
        return "none";
    return config->era == ERA_CURRENT ? "from VCS_CLONE_TOKEN" : "from GITHUB_APP_TOKEN";
}

static void print_repositories(const struct config *config, struct buf *out)
{
    const struct repository_list *list = &config->repositories;

    for (size_t i = 0; i < list->count; i++) {
        const struct repository *one = &list->items[i];

        buf_printf(out, "repository   %s/%s at %s, branch %s%s%s\n", one->owner, one->name,
                   one->path, one->branch,
                   one->branch_given ? "" : " unless the remote has another",
                   one->base_sha ? ", baseline given" : "");
    }
    if (list->count == 0)
        buf_puts(out, "repository   none\n");
    else
        buf_printf(out, "git          https://%s, password %s\n", config->vcs_host,
                   password_source(config));
}

static void print_opencode(const struct config *config, struct buf *out)
{
    buf_printf(out, "opencode     on %s port %d%s, in %s, model %s/%s\n", config->opencode_host,
               OPENCODE_PORT, config->opencode_password ? " with a password" : "",
               config_workdir(config), config->provider, config->model);
}

/* ---- the steps ---- */

static uint64_t limit_ms(const struct config *config, enum boot_step step)
{
    bool clones = config->boot_mode == BOOT_FRESH || config->boot_mode == BOOT_BUILD;

    switch (step) {
    case BOOT_STEP_CREDENTIALS:
        return CREDENTIAL_INSTALL_LIMIT_MS;
    case BOOT_STEP_SYNC:
        return MS_PER_S * (clones ? GIT_SYNC_CLONE_LIMIT_S : GIT_SYNC_FETCH_LIMIT_S);
    case BOOT_STEP_SETUP:
        return config->setup_timeout_ms;
    case BOOT_STEP_START:
        return config->start_timeout_ms;
    case BOOT_STEP_TUNNEL:
        return config->tunnel_timeout_ms;
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
    default:
        return 0;
    }
}

/* Sync and hooks take their limit for each repository anew. */
static bool is_per_repository(enum boot_step step)
{
    return step == BOOT_STEP_SYNC || step == BOOT_STEP_SETUP || step == BOOT_STEP_START;
}

static const char *failure_text(enum boot_failure failure)
{
    switch (failure) {
    case BOOT_FAILURE_FATAL:
        return "fatal";
    case BOOT_FAILURE_WARNING:
        return "warning";
    case BOOT_FAILURE_LOGGED:
        break;
    }
    return "logged";
}

/* Everything that must be done before `step`, through the others too. A step that is left out keeps
 * nobody waiting. */
static unsigned all_needs(const struct boot_plan *plan, unsigned running, enum boot_step step)
{
    unsigned all = plan->steps[step].needs & running;

    for (enum boot_step other = 0; other < BOOT_STEP_COUNT; other++) {
        if (has(plan->steps[step].needs & running, other))
            all |= all_needs(plan, running, other);
    }
    return all;
}

/* Only what no other need waits for already. */
static void print_needs(const struct boot_plan *plan, unsigned running, enum boot_step step,
                        struct buf *out)
{
    unsigned needs = plan->steps[step].needs & running;
    unsigned implied = 0;
    const char *separator = "";

    for (enum boot_step other = 0; other < BOOT_STEP_COUNT; other++) {
        if (has(needs, other))
            implied |= all_needs(plan, running, other);
    }
    for (enum boot_step other = 0; other < BOOT_STEP_COUNT; other++) {
        if (!has(needs & ~implied, other))
            continue;
        buf_printf(out, "%s%s", separator, boot_plan_step_name(other));
        separator = ", ";
    }
}

static void print_step(const struct config *config, const struct boot_plan *plan, unsigned running,
                       enum boot_step step, struct buf *out)
{
    const struct boot_plan_step *one = &plan->steps[step];
    AUTO_BUF struct buf needs = BUF_INIT(NEEDS_MAX);
    char limit[32] = "-";
    uint64_t ms = limit_ms(config, step);
    bool several = config->repositories.count > 1 && is_per_repository(step);

    print_needs(plan, running, step, &needs);
    if (ms > 0)
        snprintf(limit, sizeof limit, "%g s%s", (double)ms / MS_PER_S, several ? " each" : "");
    buf_printf(out, "%-12s %-32s %-10s %s", boot_plan_step_name(step),
               needs.len > 0 ? buf_text(&needs) : "-", limit, failure_text(one->failure));
    if (several && one->later_failure != one->failure && step != BOOT_STEP_SYNC)
        buf_printf(out, "; of later repositories: %s", failure_text(one->later_failure));
    buf_putc(out, '\n');
}

/* In waves, as the boot begins them when each step ends at once. */
static void print_steps(const struct config *config, const struct boot_plan *plan, struct buf *out)
{
    unsigned running = 0;
    unsigned done = 0;
    const char *separator = "\nnot done: ";

    for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++)
        running |= (unsigned)plan->steps[step].runs << step;
    buf_printf(out, "\n%-12s %-32s %-10s %s\n", "step", "begins after", "limit", "when it fails");
    for (unsigned next; (next = boot_plan_next(plan, done, done)) != 0; done |= next) {
        for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++) {
            if (has(next, step))
                print_step(config, plan, running, step, out);
        }
    }
    for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++) {
        if (has(running, step))
            continue;
        buf_printf(out, "%s%s", separator, boot_plan_step_name(step));
        separator = ", ";
    }
    buf_puts(out, running + 1 == 1U << BOOT_STEP_COUNT ? "\n" : "\n\n");
}

static void print_afterwards(const struct config *config, struct buf *out)
{
    if (config->boot_mode != BOOT_BUILD) {
        buf_puts(out, "then: what was started is kept running until a signal or the control plane "
                      "ends the session\n");
    } else {
        buf_printf(out, "then: %s, and it waits for a signal\n",
                   config->build.has_callback ? "the success callback" : "nobody is told");
        if (config->build.budget_ms > 0)
            buf_printf(out, "limit of the build: %g s\n",
                       (double)config->build.budget_ms / MS_PER_S);
    }
    buf_puts(out, "exit status: 0 after that, 1 after a fatal failure\n");
}

void plan_print(const struct config *config, const struct boot_plan *plan, struct buf *out)
{
    buf_printf(out, "contract     %s (%s)\n", config->era == ERA_CURRENT ? "current" : "legacy",
               config->era_reason);
    buf_printf(out, "boot mode    %s\n", config_boot_mode_name(config->boot_mode));
    buf_printf(out, "sandbox      %s\n", config->sandbox_id);
    print_repositories(config, out);
    if (plan->steps[BOOT_STEP_OPENCODE].runs)
        print_opencode(config, out);
    print_bridge(config, plan, out);
    print_steps(config, plan, out);
    print_afterwards(config, out);
}
