#include "git/local_config.h"

#include "common/clock.h"
#include "git/auto_git2.h"
#include "git/git_error.h"
#include "git/library.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#define ANY_VALUE ".*"
#define NS_PER_MS 1000000L
#define LOCK_LOOK_MS 20 /* git does not tell when it gives a lock back */

struct present {
    const char *wanted;
    size_t count;
    bool is_wanted; /* the last one seen */
};

static int on_entry(const git_config_entry *entry, void *user)
{
    struct present *present = user;

    present->count++;
    present->is_wanted =
        present->wanted && entry->value && strcmp(entry->value, present->wanted) == 0;
    return 0;
}

static int apply(git_config *config, const struct local_config_change *change)
{
    struct present present = {.wanted = change->value};
    int code = git_config_get_multivar_foreach(config, change->key, NULL, on_entry, &present);

    if (code < 0 && code != GIT_ENOTFOUND)
        return code;
    if (present.count == 1 && present.is_wanted)
        return 0;
    code = present.count ? git_config_delete_multivar(config, change->key, ANY_VALUE) : 0;
    if (code == 0 && change->value)
        code = git_config_set_string(config, change->key, change->value);
    return code;
}

/* As apply(), for a file that others write, too. What was done before the lock was met is found done. */
static int apply_when_free(git_config *config, const struct local_config_change *change,
                           uint64_t deadline_ms)
{
    const struct timespec pause = {.tv_nsec = LOCK_LOOK_MS * NS_PER_MS};
    int code;

    while ((code = apply(config, change)) == GIT_ELOCKED && clock_monotonic_ms() < deadline_ms)
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
