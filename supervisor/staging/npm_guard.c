#include "supervisor/staging/npm_guard.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
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
#define LOCK_MAX (4 * 1024 * 1024)

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

/* What an earlier supervisor put there: the image's own manifest (S-283), or the one that the older
 * contract makes up (S-318). */
static bool is_our_manifest(const char *package, const char *shared_package)
{
    AUTO_BUF struct buf text = BUF_INIT(CODE_MAX), ours = BUF_INIT(CODE_MAX);
    AUTO_JSON cJSON *manifest = NULL;
    const char *name;

    if (file_read(package, &text, NULL) != 0)
        return false;
    if (file_read(shared_package, &ours, NULL) == 0 &&
        strcmp(buf_text(&text), buf_text(&ours)) == 0)
        return true;
    manifest = json_parse(buf_text(&text), text.len, NULL);
    name = json_get_string(manifest, "name");
    return name && strcmp(name, "opencode-tools") == 0 && !json_get(manifest, "dependencies") &&
           !json_get(manifest, "devDependencies");
}

static int put_modules(const char *shared, const char *modules, struct err *err)
{
    if (file_exists(shared))
        return staged_links_put(shared, modules, err);
    return mkdir(modules, DIRECTORY_MODE) == 0
               ? 0
               : err_set_sys(err, errno, "make directory %s", modules);
}

/* Beside a manifest of the image the image's lock file, which names all that is in it. */
static int put_lock(const char *shared_lock, const char *lock, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(LOCK_MAX);

    if (file_read(shared_lock, &text, NULL) != 0) {
        buf_reset(&text);
        buf_puts(&text, lock_text);
    }
    return file_write_atomic(lock, text.data, text.len, FILE_MODE, false, err);
}

struct names {
    char package[PATH_MAX], lock[PATH_MAX], modules[PATH_MAX];
};

static int name_files(const char *directory, struct names *names, struct err *err)
{
    if (snprintf(names->package, PATH_MAX, "%s/package.json", directory) < PATH_MAX &&
        snprintf(names->lock, PATH_MAX, "%s/" NPM_GUARD_LOCK, directory) < PATH_MAX &&
        snprintf(names->modules, PATH_MAX, "%s/" NPM_GUARD_MODULES, directory) < PATH_MAX)
        return 0;
    return err_set_sys(err, ENAMETOOLONG, "%s", directory);
}

static bool has_plugin_package(const char *modules)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof path, "%s/@opencode-ai/plugin", modules) < PATH_MAX &&
           file_exists(path);
}

enum npm_guard npm_guard_put(const char *directory, const char *shared_deps, struct err *err)
{
    struct names own, shared;
    bool has_package, has_modules, has_lock, serves;

    if (name_files(directory, &own, err) != 0 || name_files(shared_deps, &shared, err) != 0)
        return NPM_GUARD_FAILED;
    has_package = is_present(own.package);
    has_modules = is_present(own.modules);
    has_lock = is_present(own.lock);
    if (has_package && !is_our_manifest(own.package, shared.package))
        return NPM_GUARD_FOREIGN;
    if (has_lock && (has_modules || !has_package))
        return NPM_GUARD_PRESENT;
    /* One of the two may be there without the other: a supervisor was killed between them, or another
     * one left its modules. npm would run because of the one that is missing. */
    serves = has_modules ? has_plugin_package(own.modules) : file_exists(shared.modules);
    if (!serves && may_import(directory))
        return NPM_GUARD_NEEDED;
    if ((!has_modules && put_modules(shared.modules, own.modules, err) != 0) ||
        (!has_lock && put_lock(has_package ? shared.lock : "", own.lock, err) != 0))
        return NPM_GUARD_FAILED;
    return NPM_GUARD_PUT;
}
