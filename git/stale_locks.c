#include "git/stale_locks.h"

#include "common/cleanup.h"
#include "git/auto_git2.h"
#include "git/library.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".lock"
#define FOLDERS_MOST 32 /* more than a branch name has slashes */

struct search {
    bool remove;
    struct buf *found;
};

/* `file` is below `folder`, and called `name` below .git. */
static void look_at(const struct search *search, int folder, const char *file, const char *name)
{
    struct buf *found = search->found;
    struct stat st;

    if (search->remove ? unlinkat(folder, file, 0) != 0
                       : fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (found->len + strlen(name) + 1 < found->max)
        buf_printf(found, "%s%s", found->len ? " " : "", name);
}

static bool is_lock(const char *name)
{
    size_t len = strlen(name);

    return len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/* No reference may end in ".lock", so what does is a lock. */
static void look_below(const struct search *search, int parent, const char *folder,
                       const char *prefix, unsigned depth)
{
    int fd = openat(parent, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!entries && fd >= 0)
        close(fd);
    while (entries && (entry = readdir(entries))) {
        AUTO_BUF struct buf name = BUF_INIT(PATH_MAX);

        buf_printf(&name, "%s/%s", prefix, entry->d_name);
        if (entry->d_name[0] == '.' || buf_failed(&name))
            continue;
        if (is_lock(entry->d_name))
            look_at(search, fd, entry->d_name, buf_text(&name));
        else if (depth < FOLDERS_MOST)
            look_below(search, fd, entry->d_name, buf_text(&name), depth + 1);
    }
    if (entries)
        closedir(entries);
}

int stale_locks_find(const char *path, bool remove, struct buf *found, struct err *err)
{
    static const char *const locks[] = {
        "index.lock",  "HEAD.lock",    "ORIG_HEAD.lock",
        "config.lock", "shallow.lock", "packed-refs.lock",
    };
    const struct search search = {.remove = remove, .found = found};
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_CLOSE int own = -1, common = -1;

    if (library_open(path, &repository, err) < 0)
        return -1;
    own = open(git_repository_path(repository), O_PATH | O_DIRECTORY | O_CLOEXEC);
    common = open(git_repository_commondir(repository), O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LENGTH(locks); i++)
        look_at(&search, own, locks[i], locks[i]);
    look_below(&search, common, "refs", "refs", 0);
    return 0;
}
