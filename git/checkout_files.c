#include "git/checkout_files.h"

#include "common/cleanup.h"
#include "git/auto_git2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { FIRST_ROOM = 256, FOLDER_MODE = 0777 };

static bool add(struct checkout_files *files, const git_tree_entry *entry, char **path)
{
    if (files->count == files->room) {
        size_t room = files->room ? 2 * files->room : FIRST_ROOM;
        git_index_entry *entries = reallocarray(files->entries, room, sizeof *entries);

        if (!entries)
            return false;
        files->entries = entries;
        files->room = room;
    }
    files->entries[files->count++] = (git_index_entry){.path = TAKE_PTR(*path),
                                                       .mode = git_tree_entry_filemode(entry),
                                                       .id = *git_tree_entry_id(entry)};
    return true;
}

/* Ends the walk with -1 when this is not for us. */
static int on_entry(const char *folder, const git_tree_entry *entry, void *user)
{
    struct checkout_files *files = user;
    git_filemode_t mode = git_tree_entry_filemode(entry);
    bool is_folder = mode == GIT_FILEMODE_TREE || mode == GIT_FILEMODE_COMMIT;
    const char *name = git_tree_entry_name(entry);
    AUTO_FREE char *path = NULL;

    /* git does not write it as a link: it would be read from outside the work tree. */
    if (mode == GIT_FILEMODE_LINK && strcasecmp(name, ".gitmodules") == 0)
        return -1;
    if (!*name || strchr(name, '/') || asprintf(&path, "%s%s", folder, name) < 0)
        return -1;
    if (is_folder && mkdirat(files->root, path, FOLDER_MODE) < 0)
        return -1;
    if (mode == GIT_FILEMODE_TREE)
        return 0;
    return add(files, entry, &path) ? 0 : -1;
}

bool checkout_files_list(const git_commit *commit, int root, struct checkout_files *files)
{
    AUTO_GIT(tree) git_tree *tree = NULL;

    *files = (struct checkout_files){.root = root};
    return git_commit_tree(&tree, commit) == 0 &&
           git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, files) == 0;
}

void checkout_files_free(struct checkout_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free((char *)files->entries[i].path);
    free(files->entries);
}
