#include "supervisor/staging/npm_guard.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "supervisor/staging/staged_links.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DIRECTORY_MODE 0755
#define FILE_MODE 0644
#define CODE_MAX (256 * 1024)

static const char lock_text[] =
    "{\"packages\":{\"\":{\"dependencies\":{\"@opencode-ai/plugin\":\"*\"}}}}\n";

/* A dangling link counts (S-287). */
static bool is_present(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* A tool's file is small; what is larger, or no file, cannot be judged and may import anything. */
static bool names_package(const char *path)
{
    static const char *const packages[] = {"@opencode-ai/", "zod"};
    AUTO_BUF struct buf text = BUF_INIT(CODE_MAX);
    struct stat st;

    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if (file_read(path, &text, NULL) != 0)
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(packages); i++) {
        if (memmem(buf_text(&text), text.len, packages[i], strlen(packages[i])))
            return true;
    }
    return false;
}

/* Whether a user's file, not a link of ours, would look up the package from this directory. */
static bool imports_in(const char *directory, const char *name)
{
    char path[PATH_MAX], file[PATH_MAX];
    struct dirent *entry;
    bool found = false;
    DIR *entries;

    if (snprintf(path, sizeof path, "%s/%s", directory, name) >= PATH_MAX ||
        !(entries = opendir(path)))
        return false;
    while (!found && (entry = readdir(entries))) {
        if (entry->d_name[0] != '.' && entry->d_type != DT_LNK &&
            snprintf(file, sizeof file, "%s/%s", path, entry->d_name) < PATH_MAX)
            found = names_package(file);
    }
    closedir(entries);
    return found;
}

static bool may_import(const char *directory)
{
    static const char *const names[] = {"tool", "tools", "plugin", "plugins"};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        if (imports_in(directory, names[i]))
            return true;
    }
    return false;
}

static int put_modules(const char *shared, const char *modules, struct err *err)
{
    if (file_exists(shared))
        return staged_links_put(shared, modules, err);
    return mkdir(modules, DIRECTORY_MODE) == 0
               ? 0
               : err_set_sys(err, errno, "make directory %s", modules);
}

enum npm_guard npm_guard_put(const char *directory, const char *shared_deps, struct err *err)
{
    char package[PATH_MAX], modules[PATH_MAX], lock[PATH_MAX], shared[PATH_MAX];

    if (snprintf(package, sizeof package, "%s/package.json", directory) >= PATH_MAX ||
        snprintf(modules, sizeof modules, "%s/" NPM_GUARD_MODULES, directory) >= PATH_MAX ||
        snprintf(lock, sizeof lock, "%s/" NPM_GUARD_LOCK, directory) >= PATH_MAX ||
        snprintf(shared, sizeof shared, "%s/node_modules", shared_deps) >= PATH_MAX) {
        err_set_sys(err, ENAMETOOLONG, "%s", directory);
        return NPM_GUARD_FAILED;
    }
    if (is_present(package))
        return NPM_GUARD_FOREIGN;
    if (is_present(modules) || is_present(lock))
        return NPM_GUARD_PRESENT;
    if (!file_exists(shared) && may_import(directory))
        return NPM_GUARD_NEEDED;
    if (put_modules(shared, modules, err) != 0 ||
        file_write_atomic(lock, lock_text, sizeof lock_text - 1, FILE_MODE, false, err) != 0)
        return NPM_GUARD_FAILED;
    return NPM_GUARD_PUT;
}
