#include "supervisor/staging/staged_links.h"

#include "common/file.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY_MODE 0755

int staged_links_put(const char *target, const char *path, struct err *err)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof temporary, "%s.oi-tmp", path) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "link %s", path);
    unlink(temporary);
    if (symlink(target, temporary) == 0 && rename(temporary, path) == 0)
        return 0;
    err_set_sys(err, errno, "link %s to %s", path, target);
    unlink(temporary);
    return -1;
}

static bool points_into(int directory, const char *name, const char *source)
{
    char target[PATH_MAX];
    size_t source_len = strlen(source);
    ssize_t len = readlinkat(directory, name, target, sizeof target - 1);

    /* With its "/": the link may lead to another directory whose name begins like ours. */
    return len > (ssize_t)source_len && memcmp(target, source, source_len) == 0 &&
           target[source_len] == '/';
}

static void remove_ours(const struct staged_links *links)
{
    DIR *entries = opendir(links->destination);
    struct dirent *entry;

    if (!entries)
        return;
    while ((entry = readdir(entries))) {
        if (points_into(dirfd(entries), entry->d_name, links->source))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    closedir(entries);
}

static bool is_directory(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Into `as` (NAME_MAX + 1 bytes); false: the entry is not linked. */
static bool choose(const struct staged_links *links, const char *name, char *as)
{
    snprintf(as, NAME_MAX + 1, "%s", name);
    return name[0] != '.' && links->choose(links->user, as);
}

static int link_one(const struct staged_links *links, const char *name, struct err *err)
{
    char as[NAME_MAX + 1], from[PATH_MAX], to[PATH_MAX];

    if (!choose(links, name, as))
        return 0;
    if (snprintf(from, sizeof from, "%s/%s", links->source, name) >= PATH_MAX ||
        snprintf(to, sizeof to, "%s/%s", links->destination, as) >= PATH_MAX)
        return err_set_sys(err, ENAMETOOLONG, "link %s", name);
    if (is_directory(to))
        return 0;
    if (file_make_directories(links->destination, DIRECTORY_MODE, err) != 0 ||
        staged_links_put(from, to, err) != 0)
        return -1;
    if (links->on_linked)
        links->on_linked(links->user, as);
    return 0;
}

int staged_links_update(const struct staged_links *links, struct err *err)
{
    DIR *entries;
    struct dirent *entry;
    int rc = 0;

    remove_ours(links);
    entries = opendir(links->source);
    if (!entries)
        return errno == ENOENT ? 0 : err_set_sys(err, errno, "read %s", links->source);
    while (rc == 0 && (entry = readdir(entries)))
        rc = link_one(links, entry->d_name, err);
    closedir(entries);
    return rc;
}

bool staged_links_are_there(const struct staged_links *links)
{
    DIR *entries = opendir(links->source);
    struct dirent *entry;
    bool there = true;

    while (entries && there && (entry = readdir(entries))) {
        char as[NAME_MAX + 1], to[PATH_MAX];
        struct stat st;

        if (choose(links, entry->d_name, as) &&
            snprintf(to, sizeof to, "%s/%s", links->destination, as) < PATH_MAX)
            there = lstat(to, &st) == 0;
    }
    if (entries)
        closedir(entries);
    return there;
}
