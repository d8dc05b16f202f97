#include "supervisor/boot/boot_report.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/wtf8.h"

#include <stdio.h>
#include <string.h>

#define REPORT_MAX (4 * 1024)

static bool is_of_repositories(enum boot_step step)
{
    return step == BOOT_STEP_SYNC || step == BOOT_STEP_SETUP || step == BOOT_STEP_START;
}

void boot_report_phase(struct boot *boot, enum boot_step step, enum boot_phase_status status,
                       const char *detail)
{
    const struct repository_list *list = &boot->config->repositories;
    uint64_t since_ms =
        step == BOOT_STEP_WARM_UP ? boot->harness_since_ms : boot->step_started_ms[step];
    struct boot_phase phase = {
        .name = boot_phase_name(step),
        .status = status,
        .at_ms = clock_wall_ms(),
        .elapsed_ms = clock_monotonic_ms() - since_ms,
        .warning = status == BOOT_PHASE_COMPLETED && boot->with_warning >> step & 1,
        .repository = is_of_repositories(step) && list->count == 1 ? list->items : NULL,
        .detail = detail,
    };

    if (!phase.name)
        return;
    phase.seq = ++boot->phases_told;
    boot->listener.on_phase(boot->listener.user, &phase);
}

void boot_tell_failure(struct boot *boot, const char *why)
{
    char detail[BOOT_PHASE_DETAIL_MAX + 1];

    snprintf(detail, sizeof detail, "%.*s", (int)wtf8_cut(why, strlen(why), BOOT_PHASE_DETAIL_MAX),
             why);
    /* Who else ends it is OpenCode or the bridge. */
    boot_report_phase(boot, boot_phase_name(boot->failed) ? boot->failed : BOOT_STEP_WARM_UP,
                      BOOT_PHASE_FAILED, detail);
}

void boot_report_sync(const struct boot *boot)
{
    const struct repository_list *list = &boot->config->repositories;
    AUTO_JSON cJSON *shas = cJSON_CreateArray();
    AUTO_BUF struct buf text = BUF_INIT(LOG_LINE_MAX);

    if (boot->config->boot_mode != BOOT_BUILD || list->count == 0 || !list->items[0].base_sha)
        return;
    for (size_t i = 0; i < list->count; i++) {
        cJSON *one = cJSON_CreateObject();

        json_add_string(one, "repoOwner", list->items[i].owner);
        json_add_string(one, "repoName", list->items[i].name);
        json_add_string(one, "baseSha", list->items[i].base_sha);
        cJSON_AddItemToArray(shas, one);
    }
    json_print(shas, &text);
    log_at(boot->log, LOG_INFO, "git.sync_complete", LOG_STR("head_sha", list->items[0].base_sha),
           LOG_JSON("repository_shas", buf_text(&text)));
}

static const char *json_of_success(enum boot_success success)
{
    return success == BOOT_NOT_RUN ? "null" : success == BOOT_SUCCEEDED ? "true" : "false";
}

void boot_log_startup(const struct boot *boot, bool success)
{
    const struct repository_list *list = &boot->config->repositories;
    enum boot_mode mode = boot->config->boot_mode;
    AUTO_JSON cJSON *phases = cJSON_CreateObject();
    AUTO_BUF struct buf phase_ms = BUF_INIT(REPORT_MAX);

    /* What a boot that failed was doing took its time, too. */
    for (enum boot_step step = 0; step < BOOT_STEP_COUNT; step++) {
        uint64_t ms = boot->done >> step & 1 ? boot->step_ms[step]
                                             : clock_monotonic_ms() - boot->step_started_ms[step];

        if (boot->begun >> step & 1)
            json_add_number(phases, boot_plan_step_name(step), (double)ms);
    }
    json_print(phases, &phase_ms);
    log_at(boot->log, success ? LOG_INFO : LOG_ERROR, "sandbox.startup",
           LOG_STR("repo_owner", list->count > 0 ? list->items[0].owner : NULL),
           LOG_STR("repo_name", list->count > 0 ? list->items[0].name : NULL),
           LOG_STR("boot_mode", config_boot_mode_name(mode)),
           LOG_BOOL("restored_from_snapshot", mode == BOOT_SNAPSHOT_RESTORE),
           LOG_BOOL("from_repo_image", mode == BOOT_REPO_IMAGE),
           LOG_BOOL("git_sync_success",
                    boot->sync_success == BOOT_SUCCEEDED || !boot->plan.steps[BOOT_STEP_SYNC].runs),
           LOG_JSON("setup_success", json_of_success(boot->hook_success[HOOK_SETUP])),
           LOG_JSON("start_success", json_of_success(boot->hook_success[HOOK_START])),
           LOG_BOOL("opencode_ready", boot->done >> BOOT_STEP_OPENCODE & 1),
           LOG_NUM("duration_ms", clock_monotonic_ms() - boot->started_ms),
           LOG_STR("outcome", success ? "success" : "error"),
           LOG_JSON("phase_ms", buf_text(&phase_ms)));
}
