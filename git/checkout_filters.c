#include "git/checkout_filters.h"

#include "common/buf.h"
#include "common/env.h"
#include "common/file.h"
#include "git/auto_git2.h"

#include <limits.h>
#include <string.h>

#define ATTRIBUTES_FILE ".gitattributes"
#define SYSTEM_ATTRIBUTES "/etc/gitattributes"
#define FOUND 1

static int on_entry(const char *root, const git_tree_entry *entry, void *user)
{
    (void)root;
    (void)user;
    return strcmp(git_tree_entry_name(entry), ATTRIBUTES_FILE) == 0 ? -FOUND : 0;
}

/* Also when a folder cannot be read: the checkout then says why. */
static bool tree_has_attributes(const git_commit *commit)
{
    git_tree *tree = NULL;
    bool has = true;

    if (git_commit_tree(&tree, commit) == 0)
        has = git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, NULL) != 0;
    git_tree_free(tree);
    return has;
}

/* core.autocrlf and core.attributesFile; core.eol alone does nothing without attributes. */
static bool configuration_has_filters(git_repository *repository)
{
    AUTO_GIT(config) git_config *config = NULL;
    AUTO_GIT(config_entry) git_config_entry *file = NULL;
    int crlf = 0, code;

    if (git_repository_config(&config, repository) != 0)
        return true;
    code = git_config_get_bool(&crlf, config, "core.autocrlf"); /* "input" is no boolean */
    return (code != GIT_ENOTFOUND && (code != 0 || crlf)) ||
           git_config_get_entry(&file, config, "core.attributesfile") != GIT_ENOTFOUND;
}

static bool has_file(const char *directory, const char *name)
{
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX);

    if (!directory)
        return false;
    buf_printf(&path, "%s%s", directory, name);
    return buf_failed(&path) || file_exists(buf_text(&path));
}

bool checkout_filters_are_needed(git_repository *repository, const git_commit *commit)
{
    return file_exists(SYSTEM_ATTRIBUTES) || has_file(env_get("HOME"), "/.config/git/attributes") ||
           has_file(env_get("XDG_CONFIG_HOME"), "/git/attributes") ||
           has_file(git_repository_path(repository), "info/attributes") ||
           configuration_has_filters(repository) || tree_has_attributes(commit);
}
