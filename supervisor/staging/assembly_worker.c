#include "supervisor/staging/assembly_worker.h"

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/worker.h"
#include "supervisor/staging/earlier_assets.h"
#include "supervisor/staging/git_exclude.h"
#include "supervisor/staging/npm_guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define DIRECTORY_MODE 0755
#define MODE_BITS 0777
#define COPY_CHUNK (64 * 1024)
#define DEPTH_MAX 32

struct assembly {
    const char *workspace;
    char target[PATH_MAX]; /* the workspace's .opencode */
    cJSON *owners;         /* path: index of the repository it came from */
    const char *checkout;  /* resolved: of the repository that is being copied */
    int repository;
};

/* ---- the target ---- */

static bool is_directory(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A user's own node_modules stays (S-274); ours, a link or an empty directory, is put again. */
static int clear_entry(const char *path, const char *name, struct err *err)
{
    if (strcmp(name, NPM_GUARD_MODULES) != 0 || !is_directory(path))
        return file_remove_tree(path, err);
    rmdir(path); /* only when it is empty */
    return 0;
}

static int clear_target(struct assembly *assembly, struct err *err)
{
    DIR *entries;
    struct dirent *entry;
    int rc = 0;

    if (!is_directory(assembly->target) && unlink(assembly->target) != 0 && errno != ENOENT)
        return err_set_sys(err, errno, "remove %s", assembly->target);
    entries = opendir(assembly->target);
    if (!entries)
        return errno == ENOENT ? 0 : err_set_sys(err, errno, "read %s", assembly->target);
    while (rc == 0 && (entry = readdir(entries))) {
        char path[PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        rc = snprintf(path, sizeof path, "%s/%s", assembly->target, entry->d_name) < PATH_MAX
                 ? clear_entry(path, entry->d_name, err)
                 : err_set_sys(err, ENAMETOOLONG, "%s", assembly->target);
    }
    closedir(entries);
    return rc;
}

/* ---- one file ---- */

static int copy_bytes(int from, int to)
{
    char chunk[COPY_CHUNK];
    ssize_t got;

    if (ioctl(to, FICLONE, from) == 0)
        return 0; /* the file system shares the blocks */
    while ((got = read(from, chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0 && file_write_all(to, chunk, (size_t)got) != 0)
            return -1;
    }
    return 0;
}

/* Makes the directories of `path`, which is below the target; a file or link in the way goes: the
 * later repository wins. */
static int make_way(const struct assembly *assembly, char *path, struct err *err)
{
    for (char *slash = strchr(path + strlen(assembly->target), '/'); slash;
         slash = strchr(slash + 1, '/')) {
        bool made;

        *slash = '\0';
        made = (is_directory(path) || unlink(path) == 0 || errno == ENOENT) &&
               (mkdir(path, DIRECTORY_MODE) == 0 || errno == EEXIST);
        *slash = '/';
        if (!made)
            return err_set_sys(err, errno, "make the directory of %s", path);
    }
    return file_remove_tree(path, err);
}

/* The same path, or a directory that the other one lies in. */
static bool leads_to(const char *path, const char *other)
{
    size_t len = strlen(path);

    return strncmp(path, other, len) == 0 && (!other[len] || other[len] == '/');
}

/* Also a directory of one repository that is a file in another is overridden, with all that is in it. */
static void note_owner(struct assembly *assembly, const char *relative)
{
    for (cJSON *owner = assembly->owners->child, *next; owner; owner = next) {
        next = owner->next;
        if (!leads_to(owner->string, relative) && !leads_to(relative, owner->string))
            continue;
        if (owner->valueint != assembly->repository) {
            cJSON *line = worker_line_new("override");

            json_add_string(line, "path", owner->string);
            json_add_number(line, "loser", owner->valueint);
            json_add_number(line, "winner", assembly->repository);
            worker_emit(WORKER_OUTPUT_FD, line);
        }
        cJSON_Delete(cJSON_DetachItemViaPointer(assembly->owners, owner));
    }
    json_put(assembly->owners, relative, cJSON_CreateNumber(assembly->repository));
}

static int copy_file(struct assembly *assembly, const char *source, const char *relative,
                     const struct stat *st, struct err *err)
{
    struct timespec times[] = {st->st_atim, st->st_mtim};
    AUTO_CLOSE int from = open(source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    AUTO_CLOSE int to = -1;
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", assembly->target, relative) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", relative);
    if (from < 0)
        return err_set_sys(err, errno, "read %s", source);
    if (make_way(assembly, path, err) != 0)
        return -1;
    to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, st->st_mode & MODE_BITS);
    if (to < 0 || copy_bytes(from, to) != 0)
        return err_set_sys(err, errno, "write %s", path);
    fchmod(to, st->st_mode & MODE_BITS); /* whatever the umask took */
    futimens(to, times);
    note_owner(assembly, relative);
    return 0;
}

/* ---- one repository ---- */

/* A link may lead to another file of its own repository. */
static bool stays_inside(const struct assembly *assembly, const char *path)
{
    size_t len = strlen(assembly->checkout);
    char resolved[PATH_MAX];

    return realpath(path, resolved) && strncmp(resolved, assembly->checkout, len) == 0 &&
           resolved[len] == '/';
}

static int copy_directory(struct assembly *assembly, const char *source, const char *relative,
                          unsigned depth, struct err *err);

static int copy_entry(struct assembly *assembly, const char *source, const char *relative,
                      const char *name, unsigned depth, struct err *err)
{
    char path[PATH_MAX], below[PATH_MAX];
    struct stat st;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, NPM_GUARD_MODULES) == 0 ||
        strcmp(name, "__pycache__") == 0)
        return 0;
    if (snprintf(path, sizeof path, "%s/%s", source, name) >= PATH_MAX ||
        snprintf(below, sizeof below, "%s%s%s", relative, *relative ? "/" : "", name) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", source);
    if (lstat(path, &st) != 0)
        return 0; /* gone meanwhile */
    if (S_ISDIR(st.st_mode))
        return copy_directory(assembly, path, below, depth + 1, err);
    if (S_ISLNK(st.st_mode) && (!stays_inside(assembly, path) || stat(path, &st) != 0))
        return 0;
    return S_ISREG(st.st_mode) ? copy_file(assembly, path, below, &st, err) : 0;
}

static int copy_directory(struct assembly *assembly, const char *source, const char *relative,
                          unsigned depth, struct err *err)
{
    struct dirent **entries;
    int count, rc = 0;

    if (depth > DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "%s is nested deeper than %d", source, DEPTH_MAX);
    count = scandir(source, &entries, NULL, alphasort);
    if (count < 0)
        return err_set_sys(err, errno, "read %s", source);
    for (int i = 0; i < count; i++) {
        if (rc == 0)
            rc = copy_entry(assembly, source, relative, entries[i]->d_name, depth, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int copy_repository(struct assembly *assembly, const cJSON *repository, struct err *err)
{
    const char *path = json_get_string(repository, "path");
    char checkout[PATH_MAX], source[PATH_MAX];

    if (!path || !realpath(path, checkout))
        return 0; /* it was not cloned (S-111) */
    assembly->checkout = checkout;
    if (snprintf(source, sizeof source, "%s/.opencode", checkout) >= PATH_MAX ||
        !is_directory(source))
        return 0;
    if (copy_directory(assembly, source, "", 0, err) != 0)
        return err_add_context(err, "%s", json_get_string(repository, "name"));
    return 0;
}

/* S-283 */
static enum npm_guard put_guard(const char *directory, const char *deps, cJSON *result,
                                struct err *err)
{
    uint64_t started_ms = clock_monotonic_ms();
    enum npm_guard guard = npm_guard_put(directory, deps, err);

    if (guard == NPM_GUARD_PUT) {
        json_add_string(result, "guarded", directory);
        json_add_number(result, "guard_ms", (double)(clock_monotonic_ms() - started_ms));
    }
    return guard;
}

/* ---- a single one, which OpenCode works in ---- */

/* Its .opencode stays as it is, but for what an earlier supervisor put there and for what keeps npm
 * from running; git does not see that. */
static int guard_checkout(const char *checkout, const char *deps, cJSON *result, struct err *err)
{
    static const char *const staged[] = {"/.opencode/" NPM_GUARD_MODULES,
                                         "/.opencode/" NPM_GUARD_LOCK};
    char directory[PATH_MAX];
    enum npm_guard guard;
    int rc = earlier_assets_remove(checkout, err); /* first: their imports would want an npm run */

    if (snprintf(directory, sizeof directory, "%s/.opencode", checkout) >= PATH_MAX ||
        !is_directory(directory))
        return rc; /* absent, or a link that is not followed (S-282) */
    guard = put_guard(directory, deps, result, err);
    if (guard == NPM_GUARD_FAILED)
        return -1;
    return guard == NPM_GUARD_PUT ? git_exclude_add(checkout, staged, ARRAY_LENGTH(staged), err)
                                  : rc;
}

/* ---- all of them ---- */

static int assemble(struct assembly *assembly, const cJSON *repositories, const char *deps,
                    cJSON *result, struct err *err)
{
    const cJSON *repository;
    struct err ignored;

    if (snprintf(assembly->target, sizeof assembly->target, "%s/.opencode", assembly->workspace) >=
        PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", assembly->workspace);
    if (clear_target(assembly, err) != 0)
        return -1;
    cJSON_ArrayForEach(repository, repositories) {
        if (copy_repository(assembly, repository, err) != 0)
            return -1;
        assembly->repository++;
    }
    if (is_directory(assembly->target))
        put_guard(assembly->target, deps, result, &ignored);
    return 0;
}

static int run(struct assembly *assembly, const cJSON *input, cJSON *result, struct err *err)
{
    const cJSON *repositories = json_get_array(input, "repositories");
    const char *deps = json_get_string(input, "deps");
    const char *checkout;

    assembly->workspace = json_get_string(input, "workspace");
    if (!assembly->workspace || !deps || !repositories)
        return input ? err_set(err, ERR_INTERNAL, "assembly: input is incomplete") : -1;
    checkout = json_get_string(repositories->child, "path");
    if (cJSON_GetArraySize(repositories) == 1 && checkout) {
        if (guard_checkout(checkout, deps, result, err) != 0)
            json_add_string(result, "guard_error", err->text); /* S-125: only logged */
        return 0;
    }
    return assemble(assembly, repositories, deps, result, err);
}

int assembly_worker_main(void)
{
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    AUTO_JSON cJSON *owners = cJSON_CreateObject();
    struct assembly assembly = {.owners = owners};
    cJSON *result = worker_result_new(NULL);
    int rc = run(&assembly, input, result, &err);

    if (rc != 0) {
        cJSON_Delete(result);
        result = worker_result_new(&err);
    }
    json_add_number(result, "file_count", cJSON_GetArraySize(owners));
    json_add_number(result, "repo_count", assembly.repository);
    return worker_emit(WORKER_OUTPUT_FD, result) == 0 && rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
