#include "bridge/push/checkout.h"

#include "common/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 4096

static char *join(const char *directory, const char *name)
{
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_printf(&path, "%s/%s", directory, name);
    return buf_take(&path);
}

/* `.git` is a directory, or a file in a linked worktree. */
static bool is_checkout(const char *path)
{
    char *git = join(path, ".git");
    bool exists = git && file_exists(git);

    free(git);
    return exists;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* The first checkout, in sorted order, right below the workspace. */
static char *first_checkout(const char *workspace)
{
    struct dirent **names;
    int count = scandir(workspace, &names, is_visible, alphasort);
    char *found = NULL;

    for (int i = 0; i < count; i++) {
        char *path = found ? NULL : join(workspace, names[i]->d_name);

        if (path && is_checkout(path))
            found = path;
        else
            free(path);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return found;
}

char *checkout_find(const struct push_request *request, const struct manifest *manifest,
                    const char *workspace, const char **reason, struct err *err)
{
    const struct manifest_entry *entry;
    char *path;

    if (request->older_contract || !*request->owner) {
        path = first_checkout(workspace);
        *reason = "no_repo_configured";
        if (!path)
            err_set(err, ERR_NOT_FOUND, "No repository found");
        return path;
    }
    entry = manifest_find(manifest, request->owner, request->name);
    if (!entry) {
        *reason = "repo_not_session_member";
        err_set(err, ERR_NOT_FOUND, "Repository %s/%s is not part of this session", request->owner,
                request->name);
        return NULL;
    }
    if (!is_checkout(entry->path)) {
        *reason = "repo_not_in_workspace";
        err_set(err, ERR_NOT_FOUND, "Repository %s/%s not found in workspace", request->owner,
                request->name);
        return NULL;
    }
    return strdup(entry->path);
}
