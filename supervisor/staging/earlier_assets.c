#include "supervisor/staging/earlier_assets.h"

#include "common/cleanup.h"
#include "git/repository.h"
#include "supervisor/staging/git_exclude.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDERS_MOST 16 /* deeper than any of those files lies */

struct checkout {
    const char *path;
    int fd;
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Behind `prefix` in `path`; NULL when it does not begin so. */
static const char *after(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(path, prefix, len) == 0 ? path + len : NULL;
}

static const char *const tools[] = {
    "create-pull-request.js", "slack-notify.js",       "spawn-child.js",
    "get-child-status.js",    "send-child-prompt.js",  "cancel-child.js",
    "_bridge-client.js",      "_send-child-prompt.js", "get-child-status-format.js",
};
static const char *const plugins[] = {"codex-auth-plugin.js", "xai-auth-plugin.js",
                                      "provider-token-broker.js"};

/* Whether a path of the checkout is one of those that were staged. A user's file never is: it may lie
 * beside them, but has no pattern in our block. */
static bool was_staged(const char *path)
{
    static const char *const skills[] = {"agent-browser/", "record-video/", "upload-screenshot/",
                                         "visual-verification/"};
    const char *rest = after(path, ".opencode/");
    const char *name;
    unsigned folders = 0;

    for (const char *at = path; *at; at++)
        folders += *at == '/';
    if (!rest || folders > FOLDERS_MOST || strstr(path, "/../") || strstr(path, "//"))
        return false;
    if ((name = after(rest, "tool/")))
        return is_one_of(name, tools, ARRAY_LENGTH(tools));
    if ((name = after(rest, "plugins/")))
        return is_one_of(name, plugins, ARRAY_LENGTH(plugins));
    if (!(name = after(rest, "skills/")))
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(skills); i++) {
        if (after(name, skills[i]))
            return true;
    }
    return false;
}

/* Removes a file or link, then the folders on the way to it that have become empty. */
static bool remove_below(int folder, char *path)
{
    char *slash = strchr(path, '/');
    AUTO_CLOSE int next = -1;
    struct stat st;
    bool removed;

    if (!slash)
        return fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) && unlinkat(folder, path, 0) == 0;
    *slash = '\0';
    next = openat(folder, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    removed = next >= 0 && remove_below(next, slash + 1);
    if (removed)
        unlinkat(folder, path, AT_REMOVEDIR);
    *slash = '/';
    return removed;
}

/* The path that a pattern of ours names: without the slashes at its ends and the escapes (S-252).
 * False: it is no path. */
static bool path_of(const char *pattern, char path[PATH_MAX])
{
    size_t len = 0;

    if (pattern[0] != '/')
        return false;
    for (const char *at = pattern + 1; *at && len < PATH_MAX - 1; at++) {
        if (*at != '\\' || !at[1])
            path[len++] = *at;
        else
            path[len++] = *++at;
    }
    while (len > 0 && path[len - 1] == '/')
        len--;
    path[len] = '\0';
    return len > 0;
}

static bool remove_or_keep(void *user, const char *pattern)
{
    const struct checkout *checkout = user;
    char path[PATH_MAX];
    struct stat st;

    if (!path_of(pattern, path))
        return false;
    if (was_staged(path) && !repository_tracks(checkout->path, path))
        remove_below(checkout->fd, path);
    return fstatat(checkout->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int earlier_assets_remove(const char *checkout, struct err *err)
{
    AUTO_CLOSE int fd = open(checkout, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct checkout user = {.path = checkout, .fd = fd};

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_sys(err, errno, "open %s", checkout);
    return git_exclude_filter(checkout, remove_or_keep, &user, err);
}

static void remove_named(int fd, const char *folder, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];

        snprintf(path, sizeof path, ".opencode/%s/%s", folder, names[i]);
        remove_below(fd, path);
    }
}

void earlier_assets_remove_from_workspace(const char *workspace)
{
    AUTO_CLOSE int fd = open(workspace, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return;
    remove_named(fd, "tool", tools, ARRAY_LENGTH(tools));
    remove_named(fd, "plugins", plugins, ARRAY_LENGTH(plugins));
}
