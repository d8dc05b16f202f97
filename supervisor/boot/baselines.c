#include "supervisor/boot/baselines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* S-205: what nobody chose is the remote's choice, also for whoever reads the manifest. */
static void note_branch(struct repository *repository, const struct git_sync_outcome *outcome)
{
    char *branch;

    if (repository->branch_given || !*outcome->branch ||
        strcmp(repository->branch, outcome->branch) == 0 || !(branch = strdup(outcome->branch)))
        return;
    free(repository->branch);
    repository->branch = branch;
}

static void note_base(struct repository *repository, const struct git_sync_outcome *outcome,
                      enum boot_mode mode, struct log *log)
{
    const char *head = outcome->head_sha;

    if (repository->base_sha && *head && strcasecmp(repository->base_sha, head) != 0 &&
        mode == BOOT_BUILD)
        log_at(log, LOG_WARNING, "git.base_mismatch", LOG_STR("repo_owner", repository->owner),
               LOG_STR("repo_name", repository->name), LOG_STR("base_sha", repository->base_sha),
               LOG_STR("head_sha", head));
    /* S-217, S-218: a supplied one stays; a restored checkout has none of its own. */
    if (!repository->base_sha && *outcome->base_sha && mode != BOOT_SNAPSHOT_RESTORE)
        repository->base_sha = strdup(outcome->base_sha);
}

void baselines_note(struct config *config, const struct git_sync *sync, struct log *log)
{
    for (size_t i = 0; i < config->repositories.count; i++) {
        struct repository *repository = &config->repositories.items[i];
        const struct git_sync_outcome *outcome = git_sync_outcome_of(sync, i);

        note_branch(repository, outcome);
        note_base(repository, outcome, config->boot_mode, log);
    }
}
