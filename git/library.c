#include "git/library.h"

#include "common/env.h"
#include "git/auto_git2.h"
#include "git/git_error.h"
#include "git/socket_stream.h"

#include <stdbool.h>

/* libgit2's state is the process's, so this is too. */
static bool started;

int library_start(struct err *err)
{
    if (started)
        return 0;
    if (git_libgit2_init() < 0)
        return git_error_to_err(GIT_ERROR, "start libgit2", err);
    started = true;
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    /* What is fetched is checked when its pack is indexed. To hash every object again when it is
     * read costs a tenth of a clone, and git does not either. */
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_HASH_VERIFICATION, 0);
    if (env_is_true("GIT_CONFIG_NOSYSTEM"))
        git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, GIT_CONFIG_LEVEL_SYSTEM, "");
    return socket_stream_register(err);
}

void library_stop(void)
{
    if (!started)
        return;
    git_libgit2_shutdown();
    started = false;
}

/* libgit2 looks only at the usual places for the user's and the system's configuration. What is added
 * would be the first to be written to: a checkout's remote would stand in the user's file. */
static int add_config_files(git_repository *repository)
{
    static const struct {
        const char *variable;
        git_config_level_t level;
    } files[] = {
        {"GIT_CONFIG_SYSTEM", GIT_CONFIG_LEVEL_SYSTEM},
        {"GIT_CONFIG_GLOBAL", GIT_CONFIG_LEVEL_GLOBAL},
    };
    git_config_level_t written = GIT_CONFIG_LEVEL_LOCAL;
    AUTO_GIT(config) git_config *config = NULL;
    int code = git_repository_config(&config, repository);

    for (size_t i = 0; code == 0 && i < sizeof files / sizeof files[0]; i++) {
        const char *path = env_get(files[i].variable);

        if (path)
            code = git_config_add_file_ondisk(config, path, files[i].level, repository, 1);
    }
    return code == 0 ? git_config_set_writeorder(config, &written, 1) : code;
}

int library_open(const char *path, git_repository **repository, struct err *err)
{
    int code;

    *repository = NULL;
    if (library_start(err) < 0)
        return -1;
    code = git_repository_open_ext(repository, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
    if (code == 0)
        code = add_config_files(*repository);
    if (code == 0)
        return 0;
    git_repository_free(*repository);
    *repository = NULL;
    if (code == GIT_ENOTFOUND)
        return err_set(err, ERR_NOT_FOUND, "%s is no git checkout", path);
    git_error_to_err(code, NULL, err);
    return err_add_context(err, "open %s", path);
}

int library_init(const char *path, const char *branch, git_repository **repository, struct err *err)
{
    git_repository_init_options options;
    int code;

    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    *repository = NULL;
    if (library_start(err) < 0)
        return -1;
    options.flags = GIT_REPOSITORY_INIT_MKPATH | GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = branch;
    code = git_repository_init_ext(repository, path, &options);
    if (code == 0)
        code = add_config_files(*repository);
    if (code == 0)
        return 0;
    git_repository_free(*repository);
    *repository = NULL;
    git_error_to_err(code, NULL, err);
    return err_add_context(err, "create %s", path);
}

const char *library_version(void)
{
    return LIBGIT2_VERSION;
}
