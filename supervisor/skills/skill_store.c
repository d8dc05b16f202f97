#include "supervisor/skills/skill_store.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "supervisor/skills/skill_page.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PARENT_MODE 0755
#define DIRECTORY_MODE 0700
#define FILE_MODE 0400
#define EXECUTABLE_MODE 0500
#define FILE_BYTES_MAX (1024 * 1024)

static bool is_present(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* What was renamed, made or removed in a directory is on the disk only after this. */
static int sync_directory(const char *path, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        return err_set_sys(err, errno, "sync %s", path);
    return 0;
}

static int move(const struct skill_store *store, const char *from, const char *to, struct err *err)
{
    if (rename(from, to) != 0)
        return err_set_sys(err, errno, "rename %s to %s", from, to);
    return sync_directory(store->parent, err);
}

static int drop(const struct skill_store *store, const char *path, struct err *err)
{
    if (!is_present(path))
        return 0;
    if (file_remove_tree(path, err) != 0)
        return -1;
    return sync_directory(store->parent, err);
}

int skill_store_open(struct skill_store *store, const char *parent, struct err *err)
{
    struct stat st;

    if (file_make_directories(parent, PARENT_MODE, err) != 0)
        return -1;
    if (snprintf(store->parent, PATH_MAX, "%s", parent) >= PATH_MAX ||
        snprintf(store->target, PATH_MAX, "%s/skills", parent) >= PATH_MAX ||
        snprintf(store->staging, PATH_MAX, "%s/.managed-skills-staging", parent) >= PATH_MAX ||
        snprintf(store->backup, PATH_MAX, "%s/.managed-skills-backup", parent) >= PATH_MAX ||
        snprintf(store->journal, PATH_MAX, "%s/.managed-skills-swap", parent) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", parent);
    if (lstat(store->target, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "%s is a link or no directory; remove it", store->target);
    return 0;
}

/* S-410. The journal says that an exchange had begun; whatever stands at the target then is whole. */
static int recover(const struct skill_store *store, struct err *err)
{
    if (is_present(store->journal) && !is_present(store->target) && is_present(store->backup) &&
        move(store, store->backup, store->target, err) != 0)
        return -1;
    return drop(store, store->backup, err) == 0 && drop(store, store->staging, err) == 0
               ? drop(store, store->journal, err)
               : -1;
}

int skill_store_begin(struct skill_store *store, struct err *err)
{
    if (recover(store, err) != 0)
        return err_add_context(err, "put an interrupted exchange right");
    if (mkdir(store->staging, DIRECTORY_MODE) != 0)
        return err_set_sys(err, errno, "make %s", store->staging);
    return 0;
}

/* What is on the disk is what was checked. */
static int verify(const char *path, const struct buf *content, struct err *err)
{
    AUTO_BUF struct buf written = BUF_INIT(FILE_BYTES_MAX);

    if (file_read(path, &written, err) != 0)
        return -1;
    if (written.len == content->len &&
        (written.len == 0 || memcmp(written.data, content->data, written.len) == 0))
        return 0;
    return err_set(err, ERR_IO, "%s reads back otherwise than it was written", path);
}

static int write_file(const char *directory, const cJSON *file, struct err *err)
{
    AUTO_BUF struct buf content = BUF_INIT(FILE_BYTES_MAX);
    AUTO_CLOSE int fd = -1;
    mode_t mode = json_get_bool(file, "executable", false) ? EXECUTABLE_MODE : FILE_MODE;
    char path[PATH_MAX];
    char *slash;

    if (snprintf(path, sizeof path, "%s/%s", directory, json_get_string(file, "path")) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", directory);
    skill_content_bytes(json_get_string(file, "content"), &content);
    slash = strrchr(path, '/');
    *slash = '\0';
    if (file_make_directories(path, DIRECTORY_MODE, err) != 0)
        return -1;
    *slash = '/';
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 || file_write_all(fd, content.data, content.len) != 0 || fsync(fd) != 0)
        return err_set_sys(err, errno, "write %s", path);
    return verify(path, &content, err);
}

int skill_store_add(const struct skill_store *store, const cJSON *skill, struct err *err)
{
    const char *name = json_get_string(skill, "name");
    char directory[PATH_MAX];
    const cJSON *file;

    if (snprintf(directory, sizeof directory, "%s/%s", store->staging, name) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "%s", store->staging);
    if (mkdir(directory, DIRECTORY_MODE) != 0)
        return errno == EEXIST ? err_set(err, ERR_PROTOCOL, "two skills are called %s", name)
                               : err_set_sys(err, errno, "make %s", directory);
    cJSON_ArrayForEach(file, json_get_array(skill, "files")) {
        if (write_file(directory, file, err) != 0)
            return -1;
    }
    return sync_directory(directory, err);
}

bool skill_store_is_empty(const struct skill_store *store)
{
    DIR *entries = opendir(store->target);
    struct dirent *entry;
    bool empty = true;

    if (!entries)
        return errno == ENOENT;
    while (empty && (entry = readdir(entries)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(entries);
    return empty;
}

int skill_store_commit(const struct skill_store *store, struct err *err)
{
    if (sync_directory(store->staging, err) != 0 ||
        file_write_atomic(store->journal, "", 0, FILE_MODE, true, err) != 0 ||
        sync_directory(store->parent, err) != 0)
        return -1;
    if (is_present(store->target) && move(store, store->target, store->backup, err) != 0)
        return -1;
    if (move(store, store->staging, store->target, err) != 0) {
        struct err ignored;

        if (is_present(store->backup))
            move(store, store->backup, store->target, &ignored);
        return -1;
    }
    return drop(store, store->backup, err) == 0 ? drop(store, store->journal, err) : -1;
}

void skill_store_abort(const struct skill_store *store)
{
    struct err ignored;

    if (is_present(store->target) || !is_present(store->backup)) {
        drop(store, store->staging, &ignored);
        drop(store, store->journal, &ignored);
    }
}
