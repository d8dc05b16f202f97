#include "supervisor/boot/plan_print.h"

#include "common/url.h"
#include "supervisor/exit_status.h"
#include "supervisor/opencode/opencode.h"

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

/* Sync and hooks take their limit for each repository anew. */
static bool is_per_repository(enum boot_step step)
{
    return step == BOOT_STEP_SYNC || step == BOOT_STEP_SETUP || step == BOOT_STEP_START;
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
    bool several = config->repositories.count > 1 && is_per_repository(step);

    print_needs(plan, running, step, &needs);
    if (one->limit_ms > 0)
        snprintf(limit, sizeof limit, "%.10g s%s", (double)one->limit_ms / MS_PER_S,
                 several ? " each" : "");
    buf_printf(out, "%-12s %-32s %-10s %s", boot_plan_step_name(step),
               needs.len > 0 ? buf_text(&needs) : "-", limit, boot_failure_name(one->failure));
    if (several && one->later_failure != one->failure && step != BOOT_STEP_SYNC)
        buf_printf(out, "; of later repositories: %s", boot_failure_name(one->later_failure));
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

/* Table 2.4, as it is in this era and mode. */
static void print_risks(const struct boot_plan *plan, struct buf *out)
{
    buf_printf(out, "%-6s %-66s %s\n", "rule", "what may go wrong", "what it means");
    for (enum boot_risk risk = 0; risk < BOOT_RISK_COUNT; risk++) {
        if (plan->risks[risk] != BOOT_FAILURE_NONE)
            buf_printf(out, "%-6s %-66s %s\n", boot_risk_rule(risk), boot_risk_text(risk),
                       boot_failure_name(plan->risks[risk]));
    }
}

static void print_afterwards(const struct config *config, const struct boot_plan *plan,
                             struct buf *out)
{
    bool build = config->boot_mode == BOOT_BUILD;

    if (!build) {
        buf_puts(out,
                 "\nthen: what was started is kept running until a signal or the control plane "
                 "ends the session\n");
    } else {
        buf_printf(out, "\nthen: %s, and it waits for a signal\n",
                   config->build.has_callback ? "the success callback" : "nobody is told");
        if (plan->budget_ms > 0)
            buf_printf(out, "limit of the build: %.10g s\n", (double)plan->budget_ms / MS_PER_S);
    }
    buf_printf(out, "exit status: %d after a signal%s, %d after a fatal failure%s\n",
               exit_status_of(SANDBOX_END_SIGNAL),
               build ? "" : " or when the bridge says that the session is over",
               exit_status_of(build ? SANDBOX_END_BUILD_FAILED : SANDBOX_END_FATAL),
               build ? "" : " or too many restarts");
}

void plan_print(const struct config *config, const struct boot_plan *plan, struct buf *out)
{
    buf_printf(out, "contract     %s (%s)\n", config->era == ERA_CURRENT ? "current" : "legacy",
               config->era_reason);
    buf_printf(out, "boot mode    %s\n", config_boot_mode_name(config->boot_mode));
    buf_printf(out, "sandbox      %s\n", config->sandbox_id);
    if (config->build.has_callback && !config->build.token) /* S-433 */
        buf_puts(out, "callback     its token comes on standard input, before all else\n");
    print_repositories(config, out);
    if (plan->steps[BOOT_STEP_OPENCODE].runs)
        print_opencode(config, out);
    print_bridge(config, plan, out);
    print_steps(config, plan, out);
    print_risks(plan, out);
    print_afterwards(config, plan, out);
}
