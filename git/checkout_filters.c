#include "git/checkout_filters.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/file.h"
#include "git/auto_git2.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define ATTRIBUTES_FILE ".gitattributes"
#define SYSTEM_ATTRIBUTES "/etc/gitattributes"
#define NEEDED (-1)

/* libgit2 has two filters: line endings and $Id$. Line ends of a work tree are "\n" here unless one of
 * these words, or the configuration, asks for others; "text=auto" and filter=lfs change nothing. */
static const char *const telling[] = {"eol=crlf", "ident"};

static bool contains(const git_blob *blob, const char *word)
{
    return memmem(git_blob_rawcontent(blob), (size_t)git_blob_rawsize(blob), word, strlen(word)) !=
           NULL;
}

static int on_entry(const char *root, const git_tree_entry *entry, void *user)
{
    git_repository *repository = user;
    git_blob *blob = NULL;
    bool needed = true;

    (void)root;
    if (strcmp(git_tree_entry_name(entry), ATTRIBUTES_FILE) != 0)
        return 0;
    if (git_tree_entry_filemode(entry) != GIT_FILEMODE_LINK &&
        git_blob_lookup(&blob, repository, git_tree_entry_id(entry)) == 0) {
        needed = false;
        for (size_t i = 0; i < ARRAY_LENGTH(telling); i++)
            needed |= contains(blob, telling[i]);
    }
    git_blob_free(blob);
    return needed ? NEEDED : 0;
}

/* Also when a folder cannot be read: the checkout then says why. */
static bool tree_has_filters(git_repository *repository, const git_commit *commit)
{
    git_tree *tree = NULL;
    bool has = true;

    if (git_commit_tree(&tree, commit) == 0)
        has = git_tree_walk(tree, GIT_TREEWALK_PRE, on_entry, repository) != 0;
    git_tree_free(tree);
    return has;
}

/* Set to anything but what git does without. */
static bool is_set(git_config *config, const char *key, const char *usual, const char *also_usual)
{
    AUTO_GIT(config_entry) git_config_entry *entry = NULL;
    int code = git_config_get_entry(&entry, config, key);

    if (code == GIT_ENOTFOUND)
        return false;
    return code != 0 || !entry->value ||
           (strcasecmp(entry->value, usual) != 0 && strcasecmp(entry->value, also_usual) != 0);
}

static bool configuration_has_filters(git_repository *repository)
{
    AUTO_GIT(config) git_config *config = NULL;

    return git_repository_config(&config, repository) != 0 ||
           is_set(config, "core.autocrlf", "false", "input") ||
           is_set(config, "core.eol", "lf", "native") ||
           is_set(config, "core.attributesfile", "", "");
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
           configuration_has_filters(repository) || tree_has_filters(repository, commit);
}
