#include "git/fetch.h"

#include "common/buf.h"
#include "git/auto_git2.h"
#include "git/git_error.h"
#include "git/library.h"
#include "git/pack_indexer.h"
#include "git/remote.h"

#include <stdio.h>
#include <string.h>

#define HEADS "refs/heads/"

static int set_name(struct branch_choice *branch, const char *name, struct err *err)
{
    int valid = 0;

    if (strlen(name) >= sizeof branch->name)
        return err_set(err, ERR_CONFIG, "the branch name is longer than %d bytes",
                       BRANCH_NAME_MAX - 1);
    /* Also what the remote calls its branch becomes part of a reference of ours. */
    if (git_branch_name_is_valid(&valid, name) < 0 || !valid)
        return err_set(err, ERR_CONFIG, "\"%s\" is no valid branch name", name);
    strcpy(branch->name, name);
    return 0;
}

static bool remote_has(const git_remote_head **heads, size_t count, const char *branch)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(heads[i]->name, HEADS, strlen(HEADS)) == 0 &&
            strcmp(heads[i]->name + strlen(HEADS), branch) == 0)
            return true;
    return false;
}

/* Decides the branch from what the remote has. */
static int choose(struct remote *remote, struct branch_choice *branch, struct err *err)
{
    AUTO_GIT_BUF git_buf head = {0};
    const char *head_branch = NULL;
    const git_remote_head **heads;
    size_t count;
    int code = git_remote_ls(&heads, &count, remote->handle);

    if (code < 0)
        return remote_error(remote, code, err);
    if (count == 0)
        return err_set(err, ERR_NOT_FOUND, "the remote repository is empty: push a first commit");
    if (git_remote_default_branch(&head, remote->handle) == 0 &&
        strncmp(head.ptr, HEADS, strlen(HEADS)) == 0)
        head_branch = head.ptr + strlen(HEADS);
    if (branch->wanted && remote_has(heads, count, branch->wanted)) {
        branch->is_default = head_branch && strcmp(head_branch, branch->wanted) == 0;
        return set_name(branch, branch->wanted, err);
    }
    if (branch->wanted && !branch->may_fall_back)
        return err_set(err, ERR_NOT_FOUND, "the remote has no branch \"%s\"%s%s", branch->wanted,
                       head_branch ? "; its default branch is " : "",
                       head_branch ? head_branch : "");
    if (!head_branch)
        return err_set(err, ERR_NOT_FOUND, "the remote names no default branch: say which to use");
    branch->is_default = true;
    branch->fell_back = branch->wanted != NULL;
    return set_name(branch, head_branch, err);
}

static void note_before(git_repository *repository, struct branch_choice *branch)
{
    AUTO_BUF struct buf name = BUF_INIT(2 * BRANCH_NAME_MAX);
    git_oid id;

    branch->before[0] = '\0';
    buf_printf(&name, "refs/remotes/origin/%s", branch->name);
    if (git_reference_name_to_id(&id, repository, buf_text(&name)) == 0)
        git_oid_tostr(branch->before, sizeof branch->before, &id);
}

int fetch_over(struct remote *remote, struct branch_choice *branch, int depth, struct err *err)
{
    AUTO_BUF struct buf refspec = BUF_INIT(3 * BRANCH_NAME_MAX);
    git_fetch_options options;
    git_strarray refspecs = {.count = 1};
    int code;

    git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
    if (choose(remote, branch, err) < 0)
        return -1;
    note_before(remote->repository, branch);
    buf_printf(&refspec, "+" HEADS "%s:refs/remotes/origin/%s", branch->name, branch->name);
    refspecs.strings = &refspec.data;
    options.depth = depth;
    options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
    options.proxy_opts.type = GIT_PROXY_AUTO;
    options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
    remote_set_callbacks(remote, &options.callbacks);
    code = pack_indexer_use(remote->repository);
    if (code == 0)
        code = git_remote_fetch(remote->handle, &refspecs, &options, NULL);
    return code < 0 ? remote_error(remote, code, err) : 0;
}

int fetch_branch(const struct git_access *access, const char *path, struct branch_choice *branch,
                 struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    git_remote *origin = NULL;
    struct remote remote;
    int code, result = -1;

    if (library_open(path, &repository, err) < 0)
        return -1;
    code = git_remote_lookup(&origin, repository, "origin");
    if (code < 0)
        return git_error_to_err(code, "look up remote origin", err);
    if (remote_open(&remote, access, repository, origin, err) == 0 &&
        remote_connect(&remote, GIT_DIRECTION_FETCH, err) == 0)
        result = fetch_over(&remote, branch, GIT_DEPTH_UNCHANGED, err);
    remote_close(&remote);
    return result;
}
