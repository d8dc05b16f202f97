#include "supervisor/startup.h"

#include "common/cleanup.h"
#include "common/env.h"
#include "common/file.h"
#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define WORKSPACE_MODE 0755
#define OOM_SCORE_PATH "/proc/self/oom_score_adj"
#define PASSWD_ENTRY_MAX 4096

void startup_find_home(void)
{
    char text[PASSWD_ENTRY_MAX];
    struct passwd entry, *found = NULL;

    if (!env_get("HOME") && getpwuid_r(getuid(), &entry, text, sizeof text, &found) == 0 && found)
        setenv("HOME", found->pw_dir, 1);
}

void startup_fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR | O_NOCTTY);
        if (fd < 0)
            fd = open("/", O_RDONLY); /* no /dev: a read or write fails, the number is taken */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

void startup_log(const struct config *config, struct log *log)
{
    static const char *const mode_events[] = {
        [BOOT_FRESH] = NULL,
        [BOOT_REPO_IMAGE] = "supervisor.from_repo_image",
        [BOOT_SNAPSHOT_RESTORE] = "supervisor.restored_from_snapshot",
        [BOOT_BUILD] = "supervisor.image_build_mode",
    };
    const struct repository_list *list = &config->repositories;
    bool has_repository = list->count > 0;
    const char *event =
        has_repository ? mode_events[config->boot_mode] : "supervisor.no_repo_configured";
    bool from_image = has_repository && config->boot_mode == BOOT_REPO_IMAGE;

    log_at(log, LOG_INFO, "supervisor.start",
           LOG_STR("repo_owner", has_repository ? list->items[0].owner : ""),
           LOG_STR("repo_name", has_repository ? list->items[0].name : ""),
           LOG_NUM("pid", getpid()));
    log_at(log, LOG_INFO, "supervisor.era",
           LOG_STR("era", config->era == ERA_CURRENT ? "current" : "legacy"),
           LOG_STR("reason", config->era_reason));
    if (event) /* S-473 */
        log_at(log, LOG_INFO, event, LOG_STR("build_sha", from_image ? config->image_sha : NULL));
}

/* S-353: orphans must come to us, or nobody ends them. */
void startup_become_subreaper(struct log *log)
{
    struct err err;

    if (getpid() == 1 || prctl(PR_SET_CHILD_SUBREAPER, 1) == 0)
        return;
    err_set_sys(&err, errno, "become a subreaper: orphans will not be reaped");
    log_at(log, LOG_WARNING, "supervisor.subreaper_failed", LOG_ERR(&err));
}

void startup_protect_from_oom(void)
{
    static const char protected[] = SPAWN_OOM_SCORE_PROTECTED;
    AUTO_CLOSE int fd = open(OOM_SCORE_PATH, O_RDWR | O_CLOEXEC);
    char score[8];
    ssize_t got = fd < 0 ? -1 : read(fd, score, sizeof score);

    if (got != 2 || memcmp(score, "0\n", 2) != 0)
        return;
    if (pwrite(fd, protected, sizeof protected - 1, 0) < 0)
        return; /* it needs a privilege that a container seldom has */
}

int startup_make_workspace(const struct config *config, struct err *err)
{
    if (file_make_directories(config->paths.workspace, WORKSPACE_MODE, err) == 0)
        return 0;
    return err_add_context(
        err, "the workspace cannot be made by user %d (make it in the image, for that user)",
        (int)getuid());
}
