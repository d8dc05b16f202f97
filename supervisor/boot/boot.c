#include "supervisor/boot/boot.h"

#include "common/clock.h"
#include "supervisor/boot/baselines.h"
#include "supervisor/boot/boot_report.h"
#include "supervisor/boot/manifest.h"
#include "supervisor/boot/workspace_guide.h"
#include "supervisor/opencode/opencode_address.h"
#include "supervisor/staging/staging.h"

#include <string.h>

#define FAILURES_MAX (4 * 1024)
#define WARM_UP_LATEST_MS (90 * 1000)

static void advance(struct boot *boot);

static void fail(struct boot *boot, enum boot_step step, const struct err *err)
{
    if (boot->over)
        return;
    boot->over = true;
    boot->failed = step;
    boot->listener.on_fatal(boot->listener.user, err);
}

static void warn(struct boot *boot, const char *scope, const char *message,
                 const struct repository *repository)
{
    boot->listener.on_warning(boot->listener.user, scope, message, repository);
}

void boot_step_done(struct boot *boot, enum boot_step step)
{
    if (boot->over || boot->done >> step & 1)
        return;
    boot->done |= 1U << step;
    boot->step_ms[step] = clock_monotonic_ms() - boot->step_started_ms[step];
    boot_report_phase(boot, step, BOOT_PHASE_COMPLETED, NULL);
    advance(boot);
}

/* ---- the steps ---- */

static void write_manifest(struct boot *boot, enum boot_step step)
{
    struct err err;

    if (manifest_write(boot->config->paths.manifest, &boot->config->repositories, &err) != 0)
        log_at(boot->log, LOG_WARNING, "supervisor.repo_manifest_write_failed", LOG_ERR(&err));
    boot_step_done(boot, step);
}

static void stage(struct boot *boot)
{
    struct err err;

    if (staging_prepare(boot->config, boot->log, &err) != 0)
        fail(boot, BOOT_STEP_STAGE, &err); /* S-123 */
    else
        boot_step_done(boot, BOOT_STEP_STAGE);
}

static void note_baselines(struct boot *boot)
{
    baselines_note(boot->config, &boot->sync, boot->log);
    boot_report_sync(boot);
    /* S-418: without a start.sh nobody looks into the file. */
    if (!hooks_exist(&boot->hooks, HOOK_START))
        tunnel_wait_skip(&boot->tunnel);
    write_manifest(boot, BOOT_STEP_BASELINES);
}

/* A checkout that holds a session's work is as good as a restored one (S-202). */
static bool all_failures_are_of_kept_work(const struct boot *boot)
{
    for (size_t i = 0; i < boot->config->repositories.count; i++) {
        const struct git_sync_outcome *outcome = git_sync_outcome_of(&boot->sync, i);

        if (!outcome->success && !outcome->kept)
            return false;
    }
    return true;
}

static void warn_of_stale_checkouts(struct boot *boot)
{
    for (size_t i = 0; i < boot->config->repositories.count; i++) {
        const struct repository *repository = &boot->config->repositories.items[i];
        const struct git_sync_outcome *outcome = git_sync_outcome_of(&boot->sync, i);
        AUTO_BUF struct buf text = BUF_INIT(FAILURES_MAX);

        if (outcome->success)
            continue;
        buf_printf(&text, "Updating %s/%s %s; the checkout may be stale.", repository->owner,
                   repository->name, outcome->timed_out ? "timed out" : "failed");
        warn(boot, "sync", buf_text(&text), repository);
    }
}

static void on_sync_done(void *user)
{
    struct boot *boot = user;
    AUTO_BUF struct buf failures = BUF_INIT(FAILURES_MAX);
    enum boot_failure severity = boot->plan.steps[BOOT_STEP_SYNC].failure;
    struct err err;

    if (boot->over)
        return;
    boot->sync_success = git_sync_all_succeeded(&boot->sync) ? BOOT_SUCCEEDED : BOOT_FAILED;
    if (boot->sync_success == BOOT_FAILED) {
        if (severity == BOOT_FAILURE_FATAL && !all_failures_are_of_kept_work(boot)) {
            git_sync_print_failures(&boot->sync, &failures);
            err_set(&err, ERR_NETWORK, "%s", buf_text(&failures));
            fail(boot, BOOT_STEP_SYNC, &err);
            return;
        }
        boot->with_warning |= 1U << BOOT_STEP_SYNC;
        if (severity != BOOT_FAILURE_LOGGED)
            warn_of_stale_checkouts(boot);
    }
    for (size_t i = 0; i < boot->config->repositories.count; i++) {
        if (git_sync_outcome_of(&boot->sync, i)->kept)
            hooks_skip_setup_of(&boot->hooks, i);
    }
    boot_step_done(boot, BOOT_STEP_SYNC);
}

static void on_credentials_done(void *user)
{
    boot_step_done(user, BOOT_STEP_CREDENTIALS);
}

static void on_tunnel_done(void *user)
{
    boot_step_done(user, BOOT_STEP_TUNNEL);
}

static bool on_hook_failed(void *user, enum hook_kind kind, size_t index, const struct err *err)
{
    struct boot *boot = user;
    const struct repository *repository = &boot->config->repositories.items[index];
    const struct boot_plan_step *step =
        &boot->plan.steps[kind == HOOK_SETUP ? BOOT_STEP_SETUP : BOOT_STEP_START];
    AUTO_BUF struct buf text = BUF_INIT(FAILURES_MAX);

    switch (index == 0 ? step->failure : step->later_failure) {
    case BOOT_FAILURE_FATAL:
        fail(boot, kind == HOOK_SETUP ? BOOT_STEP_SETUP : BOOT_STEP_START, err);
        return false;
    case BOOT_FAILURE_WARNING:
        buf_printf(&text, "%s; the session continues.", err->text);
        warn(boot, hooks_kind_name(kind), buf_text(&text), repository);
        break;
    case BOOT_FAILURE_LOGGED:
    case BOOT_FAILURE_NONE:
        break;
    }
    return true;
}

static void on_hooks_done(void *user, enum hook_kind kind, bool success)
{
    struct boot *boot = user;
    enum boot_step step = kind == HOOK_SETUP ? BOOT_STEP_SETUP : BOOT_STEP_START;

    boot->hook_success[kind] = success ? BOOT_SUCCEEDED : BOOT_FAILED;
    if (!success)
        boot->with_warning |= 1U << step;
    boot_step_done(boot, step);
}

static void on_warm_up_done(void *user)
{
    boot_step_done(user, BOOT_STEP_WARM_UP);
}

/* The control plane gives a sandbox up that is not connected in time (S-172): when a boot took this
 * long, the first prompt does the warming. */
static void warm_up(struct boot *boot)
{
    if (clock_monotonic_ms() - boot->started_ms > WARM_UP_LATEST_MS &&
        !boot->config->bridge_early_connect)
        boot_step_done(boot, BOOT_STEP_WARM_UP);
    else
        warm_up_start(&boot->warm_up, opencode_directory(boot->config),
                      boot->plan.steps[BOOT_STEP_WARM_UP].limit_ms);
}

static void on_asset_done(void *user, enum boot_step step, const struct err *err)
{
    struct boot *boot = user;

    if (err && boot->plan.steps[step].failure == BOOT_FAILURE_FATAL)
        fail(boot, step, err);
    else
        boot_step_done(boot, step);
}

static void on_asset_warning(void *user, const char *scope, const char *message,
                             const struct repository *repository)
{
    struct boot *boot = user;

    if (boot->plan.risks[BOOT_RISK_OVERRIDE] == BOOT_FAILURE_WARNING)
        warn(boot, scope, message, repository);
}

/* From when OpenCode is waited for, though it began long before. */
static void tell_harness_started(struct boot *boot)
{
    if (boot->harness_since_ms)
        return;
    boot->harness_since_ms = clock_monotonic_ms();
    boot_report_phase(boot, BOOT_STEP_WARM_UP, BOOT_PHASE_STARTED, NULL);
}

static void begin(struct boot *boot, enum boot_step step)
{
    uint64_t limit_ms = boot->plan.steps[step].limit_ms;

    boot->begun |= 1U << step;
    boot->step_started_ms[step] = clock_monotonic_ms();
    if (step == BOOT_STEP_WARM_UP)
        tell_harness_started(boot);
    else
        boot_report_phase(boot, step, BOOT_PHASE_STARTED, NULL);
    switch (step) {
    case BOOT_STEP_MANIFEST:
        write_manifest(boot, step);
        break;
    case BOOT_STEP_STAGE:
        stage(boot);
        break;
    case BOOT_STEP_CREDENTIALS:
        credential_setup_start(&boot->credentials, limit_ms);
        break;
    case BOOT_STEP_SYNC:
        git_sync_start(&boot->sync);
        break;
    case BOOT_STEP_BASELINES:
        note_baselines(boot);
        break;
    case BOOT_STEP_SETUP:
        hooks_start(&boot->hooks, HOOK_SETUP, limit_ms);
        break;
    case BOOT_STEP_START:
        hooks_start(&boot->hooks, HOOK_START, limit_ms);
        break;
    case BOOT_STEP_TUNNEL:
        tunnel_wait_start(&boot->tunnel, limit_ms);
        break;
    case BOOT_STEP_GUIDE:
        workspace_guide_write(boot->config, boot->log);
        boot_step_done(boot, step);
        break;
    case BOOT_STEP_MCP:
    case BOOT_STEP_SKILLS_FETCH:
    case BOOT_STEP_ASSEMBLY:
    case BOOT_STEP_SKILLS:
        boot_assets_begin(&boot->assets, step, limit_ms);
        break;
    case BOOT_STEP_OPENCODE:
        if (!boot_plan_waits_for(&boot->plan, boot->begun, boot->done, BOOT_STEP_OPENCODE))
            boot->listener.start_opencode_early(boot->listener.user);
        break;
    case BOOT_STEP_WARM_UP:
        warm_up(boot);
        break;
    case BOOT_STEP_BRIDGE:
        boot->listener.start_bridge(boot->listener.user);
        break;
    case BOOT_STEP_COUNT:
        break;
    }
}

/* Once nothing but OpenCode is missing, it has to come. */
static void look_for_opencode(struct boot *boot)
{
    if (boot->over || boot->opencode_needed || !(boot->begun >> BOOT_STEP_OPENCODE & 1) ||
        !boot_plan_waits_for(&boot->plan, boot->begun, boot->done, BOOT_STEP_OPENCODE))
        return;
    boot->opencode_needed = true;
    tell_harness_started(boot);
    boot->listener.start_opencode(boot->listener.user);
}

/* A step may end while it begins, and call this again: the outer call then goes on. */
static void advance(struct boot *boot)
{
    if (boot->advancing)
        return;
    boot->advancing = true;
    while (!boot->over) {
        unsigned next;

        look_for_opencode(boot);
        next = boot_plan_next(&boot->plan, boot->begun, boot->done);
        if (next == 0)
            break;
        for (enum boot_step step = 0; step < BOOT_STEP_COUNT && !boot->over; step++) {
            if (next >> step & 1)
                begin(boot, step);
        }
    }
    boot->advancing = false;
    if (boot->over || !boot_plan_is_done(&boot->plan, boot->done))
        return;
    boot->over = true;
    boot->listener.on_done(boot->listener.user);
}

/* ---- the life of the boot ---- */

int boot_init(struct boot *boot, uv_loop_t *loop, struct reaper *reaper, struct log *log,
              struct config *config, const struct boot_plan_input *input,
              struct boot_listener listener, struct err *err)
{
    *boot = (struct boot){.log = log,
                          .config = config,
                          .listener = listener,
                          .plan = boot_plan_make(input),
                          .started_ms = clock_monotonic_ms(), /* should it end before it starts */
                          .failed = BOOT_STEP_WARM_UP};
    hooks_init(&boot->hooks, loop, reaper, log, config,
               (struct hooks_listener){
                   .on_failed = on_hook_failed, .on_done = on_hooks_done, .user = boot});
    credential_setup_init(&boot->credentials, loop, reaper, log, config, on_credentials_done, boot);
    warm_up_init(&boot->warm_up, loop, reaper, log, config, on_warm_up_done, boot);
    tunnel_wait_init(&boot->tunnel, loop, log, config, on_tunnel_done, boot);
    boot_assets_init(&boot->assets, loop, reaper, log, config,
                     (struct boot_assets_listener){
                         .on_done = on_asset_done, .on_warning = on_asset_warning, .user = boot});
    return git_sync_init(&boot->sync, loop, reaper, log, config,
                         (struct git_sync_listener){.on_done = on_sync_done, .user = boot}, err);
}

void boot_start(struct boot *boot, uint64_t started_ms)
{
    boot->started_ms = started_ms;
    if (!boot->plan.steps[BOOT_STEP_SYNC].runs) /* S-198 */
        log_at(boot->log, LOG_INFO, "git.skip_clone", LOG_STR("reason", "no_repo_configured"));
    if (boot->config->era == ERA_CURRENT)
        tunnel_wait_clear_stale(boot->config, boot->log);
    advance(boot);
}

void boot_cancel(struct boot *boot)
{
    boot->over = true;
    tunnel_wait_cancel(&boot->tunnel);
    boot_assets_kill(&boot->assets);
    credential_setup_kill(&boot->credentials);
    warm_up_kill(&boot->warm_up);
    git_sync_kill(&boot->sync);
    hooks_cancel(&boot->hooks);
}

void boot_kill(struct boot *boot)
{
    boot_assets_kill(&boot->assets);
    credential_setup_kill(&boot->credentials);
    warm_up_kill(&boot->warm_up);
    git_sync_kill(&boot->sync);
    hooks_kill(&boot->hooks);
}

bool boot_is_busy(const struct boot *boot)
{
    return credential_setup_is_running(&boot->credentials) || boot->sync.running > 0 ||
           hooks_are_running(&boot->hooks) || boot->warm_up.worker.process.running ||
           boot_assets_are_busy(&boot->assets);
}

void boot_close(struct boot *boot)
{
    credential_setup_close(&boot->credentials);
    tunnel_wait_close(&boot->tunnel);
    warm_up_close(&boot->warm_up);
    boot_assets_close(&boot->assets);
    git_sync_close(&boot->sync);
    hooks_close(&boot->hooks);
}

void boot_free(struct boot *boot)
{
    git_sync_free(&boot->sync);
    hooks_free(&boot->hooks);
}
