#include "git/clone.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/checkout.h"
#include "git/git_error.h"
#include "git/library.h"
#include "git/remote.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* HEAD until the remote's branch is known. */
#define UNBORN_BRANCH "main"

/* "/workspace/app" -> "/workspace/.app.oi-clone"; parents are made. */
static int prepare_neighbour(const char *path, struct buf *neighbour, struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_BUF struct buf parent = BUF_INIT(PATH_MAX);

    if (!slash || !slash[1])
        return err_set(err, ERR_CONFIG, "checkout path \"%s\" is not absolute or ends in \"/\"",
                       path);
    buf_append(&parent, path, (size_t)(slash - path) + 1);
    buf_printf(neighbour, "%s.%s.oi-clone", buf_text(&parent), slash + 1);
    if (buf_failed(&parent) || buf_failed(neighbour))
        return err_set(err, ERR_CONFIG, "checkout path is too long");
    if (file_make_directories(buf_text(&parent), 0755, err) < 0 ||
        file_remove_tree(buf_text(neighbour), err) < 0)
        return -1;
    if (access(buf_text(&parent), W_OK | X_OK) < 0)
        return err_set_sys(err, errno,
                           "write into %s as user %d (make it in the image, for that user)",
                           buf_text(&parent), (int)getuid());
    return 0;
}

static int add_origin(git_repository *repository, const struct git_access *access,
                      git_remote **origin, struct err *err)
{
    int code = git_remote_create(origin, repository, "origin", access->url);

    return code < 0 ? git_error_to_err(code, "add remote origin", err) : 0;
}

/* The configuration that `git clone --single-branch` leaves. */
static int configure_branch(git_repository *repository, const struct branch_choice *branch,
                            struct err *err)
{
    AUTO_GIT(config) git_config *config = NULL;
    AUTO_GIT(reference) git_reference *head = NULL;
    AUTO_BUF struct buf spec = BUF_INIT(3 * BRANCH_NAME_MAX), tip = BUF_INIT(2 * BRANCH_NAME_MAX);
    int code;

    buf_printf(&spec, "+refs/heads/%s:refs/remotes/origin/%s", branch->name, branch->name);
    buf_printf(&tip, "refs/remotes/origin/%s", branch->name);
    code = git_repository_config(&config, repository);
    if (code == 0)
        code = git_config_set_string(config, "remote.origin.fetch", buf_text(&spec));
    if (code == 0 && branch->is_default)
        code = git_reference_symbolic_create(&head, repository, "refs/remotes/origin/HEAD",
                                             buf_text(&tip), 1, "clone");
    return code < 0 ? git_error_to_err(code, "configure the clone", err) : 0;
}

static int fill(git_repository *repository, const struct git_access *access,
                struct branch_choice *branch, struct err *err)
{
    git_remote *origin;
    struct remote remote;
    int result = -1;

    if (add_origin(repository, access, &origin, err) < 0)
        return -1;
    if (remote_open(&remote, access, repository, origin, err) == 0 &&
        remote_connect(&remote, GIT_DIRECTION_FETCH, err) == 0 &&
        fetch_over(&remote, branch, GIT_CLONE_DEPTH, err) == 0 &&
        configure_branch(repository, branch, err) == 0)
        result = checkout_first(&remote, branch->name, err);
    remote_close(&remote);
    return result;
}

/* rename(2) replaces an empty directory, and nothing else that is there. */
static int move_into_place(const char *neighbour, const char *path, struct err *err)
{
    if (rename(neighbour, path) == 0)
        return 0;
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
        return err_set(err, ERR_IO, "%s exists and is not empty", path);
    return err_set_sys(err, errno, "rename %s to %s", neighbour, path);
}

int clone_repository(const struct git_access *access, const char *path,
                     struct branch_choice *branch, struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_BUF struct buf neighbour = BUF_INIT(PATH_MAX);

    if (prepare_neighbour(path, &neighbour, err) < 0)
        return -1;
    if (library_init(buf_text(&neighbour), UNBORN_BRANCH, &repository, err) < 0)
        return -1;
    if (fill(repository, access, branch, err) == 0 &&
        move_into_place(buf_text(&neighbour), path, err) == 0)
        return 0;
    file_remove_tree(buf_text(&neighbour), NULL);
    return -1;
}
