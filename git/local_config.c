#include "git/local_config.h"

#include "common/clock.h"
#include "git/auto_git2.h"
#include "git/config_values.h"
#include "git/git_error.h"
#include "git/library.h"

#include <time.h>

#define NS_PER_MS 1000000L
#define LOCK_LOOK_MS 20 /* git does not tell when it gives a lock back */

/* For a file that others write, too. What was done before the lock was met is found done. */
static int apply_when_free(git_config *config, const struct local_config_change *change,
                           uint64_t deadline_ms)
{
    const struct timespec pause = {.tv_nsec = LOCK_LOOK_MS * NS_PER_MS};
    size_t count = change->value ? 1 : 0;
    int code;

    while ((code = config_values_set(config, change->key, &change->value, count)) == GIT_ELOCKED &&
           clock_monotonic_ms() < deadline_ms)
        nanosleep(&pause, NULL);
    return code;
}

int local_config_apply(const char *path, const struct local_config_change *changes, size_t count,
                       struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(config) git_config *all = NULL, *local = NULL;
    uint64_t deadline_ms = clock_monotonic_ms() + LOCAL_CONFIG_LOCK_MS;
    int code;

    if (library_open(path, &repository, err) < 0)
        return -1;
    code = git_repository_config(&all, repository);
    if (code == 0)
        code = git_config_open_level(&local, all, GIT_CONFIG_LEVEL_LOCAL);
    if (code < 0)
        return git_error_to_err(code, "open .git/config", err);
    for (size_t i = 0; i < count; i++) {
        code = apply_when_free(local, &changes[i], deadline_ms);
        if (code < 0) {
            git_error_to_err(code, "change .git/config", err);
            return err_add_context(err, "%s", changes[i].key);
        }
    }
    return 0;
}
