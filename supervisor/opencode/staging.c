#include "supervisor/opencode/staging.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "supervisor/opencode/git_exclude.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DIRECTORY_MODE 0755
#define FILE_MODE 0644

static const char lock_text[] =
    "{\"packages\":{\"\":{\"dependencies\":{\"@opencode-ai/plugin\":\"*\"}}}}\n";

static int join(char *out, const char *directory, const char *name, struct err *err)
{
    if (snprintf(out, PATH_MAX, "%s/%s", directory, name) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s/%s", directory, name);
    return 0;
}

/* Replaces whatever is at `path`, in one step, so that OpenCode never sees a half-made state. */
static int put_link(const char *target, const char *path, struct err *err)
{
    char temporary[PATH_MAX];

    if (join(temporary, path, "", err) != 0)
        return -1;
    snprintf(temporary + strlen(path), sizeof temporary - strlen(path), ".tmp");
    unlink(temporary);
    if (symlink(target, temporary) != 0)
        return err_set_sys(err, errno, "link %s", temporary);
    if (rename(temporary, path) != 0) {
        int sys = errno;

        unlink(temporary);
        return err_set_sys(err, sys, "link %s", path);
    }
    return 0;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static bool is_tool_wanted(const char *name, const struct config *config, bool slack_notify)
{
    if (strcmp(name, "create-pull-request.js") == 0)
        return config->repositories.count > 0; /* S-279 */
    if (strcmp(name, "slack-notify.js") == 0)
        return slack_notify;
    return true;
}

/* Links of ours that the last boot made; a user's own tools stay. */
static void remove_our_links(const char *directory, const char *assets)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    if (!entries)
        return;
    while ((entry = readdir(entries))) {
        char target[PATH_MAX];
        ssize_t len = readlinkat(dirfd(entries), entry->d_name, target, sizeof target - 1);

        if (len <= 0)
            continue;
        target[len] = '\0';
        if (strncmp(target, assets, strlen(assets)) == 0)
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

static int link_tools(const char *source, const char *destination, const struct config *config,
                      bool slack_notify, struct err *err)
{
    DIR *entries = opendir(source);
    struct dirent *entry;
    int rc = 0;

    if (!entries)
        return errno == ENOENT ? 0 : err_set_sys(err, errno, "read %s", source);
    while (rc == 0 && (entry = readdir(entries))) {
        char from[PATH_MAX], to[PATH_MAX];

        if (!has_suffix(entry->d_name, ".js") ||
            !is_tool_wanted(entry->d_name, config, slack_notify))
            continue;
        rc = join(from, source, entry->d_name, err) != 0 ||
                     join(to, destination, entry->d_name, err) != 0
                 ? -1
                 : put_link(from, to, err);
    }
    closedir(entries);
    return rc;
}

static bool is_present(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0; /* a dangling link counts (S-287) */
}

/* What makes OpenCode believe that its plugin package is installed in `directory`. True when
 * something was written. A foreign package.json means that the user wants an install: left alone. */
static bool guard_against_npm(const char *directory, const char *shared_deps, bool *foreign,
                              struct err *err)
{
    char package[PATH_MAX], modules[PATH_MAX], lock[PATH_MAX], shared[PATH_MAX];

    err_clear(err);
    if (join(package, directory, "package.json", err) != 0 ||
        join(modules, directory, "node_modules", err) != 0 ||
        join(lock, directory, "package-lock.json", err) != 0 ||
        join(shared, shared_deps, "node_modules", err) != 0)
        return false;
    *foreign = is_present(package);
    if (*foreign || is_present(modules) || is_present(lock))
        return false;
    if (file_exists(shared) ? put_link(shared, modules, err) != 0
                            : mkdir(modules, DIRECTORY_MODE) != 0 &&
                                  err_set_sys(err, errno, "make directory %s", modules) != 0)
        return false;
    return file_write_atomic(lock, lock_text, sizeof lock_text - 1, FILE_MODE, false, err) == 0;
}

static void seed_global_directory(const struct config *config, struct log *log)
{
    const char *directory = config->paths.opencode_home;
    uint64_t started_ms = clock_monotonic_ms();
    bool foreign = false;
    struct err err;

    if (guard_against_npm(directory, config->paths.opencode_deps, &foreign, &err))
        log_at(log, LOG_INFO, "opencode.global_deps_seeded", LOG_STR("config_dir", directory),
               LOG_NUM("duration_ms", clock_monotonic_ms() - started_ms));
    else if (err.class != ERR_NONE)
        log_at(log, LOG_WARNING, "opencode.global_deps_seed_failed", LOG_ERR(&err));
    else
        log_at(log, LOG_INFO, "opencode.global_deps_skip", LOG_STR("config_dir", directory),
               LOG_STR("reason", foreign ? "foreign_manifest" : "already_present"));
}

int staging_prepare(const struct config *config, bool slack_notify, struct log *log,
                    struct err *err)
{
    char source[PATH_MAX], destination[PATH_MAX];

    if (join(source, config->paths.assets, "tools", err) != 0 ||
        join(destination, config->paths.opencode_home, "tool", err) != 0 ||
        file_make_directories(destination, DIRECTORY_MODE, err) != 0)
        return err_add_context(err, "stage OpenCode's tools");
    remove_our_links(destination, config->paths.assets);
    if (link_tools(source, destination, config, slack_notify, err) != 0)
        return err_add_context(err, "stage OpenCode's tools");
    seed_global_directory(config, log);
    return 0;
}

void staging_guard_checkout(const struct repository *repository, const struct config *config,
                            struct log *log)
{
    static const char *const staged[] = {"/.opencode/node_modules", "/.opencode/package-lock.json"};
    char directory[PATH_MAX];
    struct stat st;
    bool foreign;
    struct err err;

    if (join(directory, repository->path, ".opencode", &err) != 0 || lstat(directory, &st) != 0 ||
        !S_ISDIR(st.st_mode))
        return; /* absent, or a link that we do not follow (S-282) */
    if (guard_against_npm(directory, config->paths.opencode_deps, &foreign, &err) &&
        git_exclude_add(repository->path, staged, ARRAY_LENGTH(staged), &err) == 0) {
        log_at(log, LOG_INFO, "opencode.repo_deps_staged", LOG_STR("dir", directory));
        return;
    }
    if (err.class != ERR_NONE)
        log_at(log, LOG_WARNING, "opencode.git_excludes_failed", LOG_ERR(&err));
}
