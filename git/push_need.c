#include "git/push_need.h"

#include "git/auto_git2.h"
#include "git/library.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOOK_NAME "pre-push"

/* core.hooksPath, from the top of the checkout when it is relative, or the repository's own. */
static int find_hook(git_repository *repository, git_config *config, char hook[PATH_MAX])
{
    AUTO_GIT_BUF git_buf configured = {0}, own = {0};
    const char *top = git_repository_workdir(repository);
    int written;

    if (git_config_get_path(&configured, config, "core.hooksPath") == 0 && *configured.ptr)
        written = snprintf(hook, PATH_MAX, "%s%s/" HOOK_NAME,
                           *configured.ptr == '/' || !top ? "" : top, configured.ptr);
    else if (git_repository_item_path(&own, repository, GIT_REPOSITORY_ITEM_HOOKS) == 0)
        written = snprintf(hook, PATH_MAX, "%s" HOOK_NAME, own.ptr);
    else
        return -1;
    return written < PATH_MAX ? 0 : -1;
}

/* As git: a hook that is not executable is none. */
static bool is_hook(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static bool pushes_submodules(git_config *config)
{
    const char *mode = NULL;
    int follows = 0;

    if (git_config_get_string(&mode, config, "push.recurseSubmodules") == 0)
        return strcmp(mode, "no") != 0 && strcmp(mode, "false") != 0;
    return git_config_get_bool(&follows, config, "submodule.recurse") == 0 && follows;
}

/* What git's own push would add to the one refspec: NULL, or the setting that says so. */
static const char *adds_to_push(git_config *config)
{
    const char *option = NULL;
    int follows = 0;

    if (git_config_get_bool(&follows, config, "push.followTags") == 0 && follows)
        return "push.followTags";
    /* The last value; an empty one takes back those before it. */
    if (git_config_get_string(&option, config, "push.pushOption") == 0 && *option)
        return "push.pushOption";
    return NULL;
}

bool push_needs_program(const char *path, struct buf *why)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(config) git_config *config = NULL;
    const char *addition;
    char hook[PATH_MAX];
    struct err err = {0};

    if (library_open(path, &repository, &err) < 0) {
        buf_puts(why, err.text);
        return err.class != ERR_NOT_FOUND;
    }
    if (git_repository_config_snapshot(&config, repository) < 0)
        return false;
    if (find_hook(repository, config, hook) == 0 && is_hook(hook)) {
        buf_printf(why, "the hook %s", hook);
        return true;
    }
    if (pushes_submodules(config)) {
        buf_puts(why, "push.recurseSubmodules");
        return true;
    }
    addition = adds_to_push(config);
    if (addition)
        buf_puts(why, addition);
    return addition != NULL;
}
