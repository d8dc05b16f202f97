#include "git/checkout.h"

#include "common/buf.h"
#include "git/auto_git2.h"
#include "git/checkout_filters.h"
#include "git/checkout_threads.h"
#include "git/fetch.h"
#include "git/git_error.h"
#include "git/library.h"
#include "git/remote.h"

#include <string.h>

enum { CONFLICTS_NAMED_MAX = 5, CONFLICT_TEXT_MAX = 700 };

/* Files that stand in the way of a checkout. */
struct conflicts {
    struct buf names;
    unsigned count;
};

static void on_checkout_progress(const char *path, size_t done, size_t total, void *user)
{
    struct git_progress progress = {.phase = GIT_PHASE_CHECKOUT, .done = done, .total = total};

    (void)path;
    remote_report(user, &progress);
}

static int on_conflict(git_checkout_notify_t why, const char *path, const git_diff_file *baseline,
                       const git_diff_file *target, const git_diff_file *workdir, void *user)
{
    struct conflicts *conflicts = user;

    (void)why, (void)baseline, (void)target, (void)workdir;
    if (conflicts->count++ < CONFLICTS_NAMED_MAX)
        buf_printf(&conflicts->names, "%s%s", conflicts->names.len ? ", " : "", path);
    return 0;
}

/* Finds the commit of refs/remotes/origin/<branch>. */
static int find_tip(git_repository *repository, const char *branch, git_commit **tip,
                    struct err *err)
{
    AUTO_GIT(reference) git_reference *reference = NULL;
    AUTO_BUF struct buf name = BUF_INIT(2 * BRANCH_NAME_MAX);
    int code;

    buf_printf(&name, "refs/remotes/origin/%s", branch);
    code = git_reference_lookup(&reference, repository, buf_text(&name));
    if (code == 0)
        code = git_reference_peel((git_object **)tip, reference, GIT_OBJECT_COMMIT);
    return code < 0 ? git_error_to_err(code, "look up the fetched branch", err) : 0;
}

/* Makes `branch` point to the commit, HEAD to the branch, and origin/<branch> its upstream, as
 * `checkout -B` does. */
static int point_branch(git_repository *repository, const char *branch, const git_commit *tip,
                        const char *log_message, struct err *err)
{
    AUTO_GIT(reference) git_reference *reference = NULL;
    AUTO_BUF struct buf name = BUF_INIT(2 * BRANCH_NAME_MAX),
                        upstream = BUF_INIT(2 * BRANCH_NAME_MAX);
    int code;

    buf_printf(&name, "refs/heads/%s", branch);
    buf_printf(&upstream, "origin/%s", branch);
    code = git_reference_create(&reference, repository, buf_text(&name), git_commit_id(tip), 1,
                                log_message);
    if (code == 0)
        code = git_repository_set_head(repository, buf_text(&name));
    if (code == 0)
        code = git_branch_set_upstream(reference, buf_text(&upstream));
    return code < 0 ? git_error_to_err(code, "set the branch", err) : 0;
}

int checkout_first(struct remote *remote, const char *branch, struct err *err)
{
    AUTO_GIT(commit) git_commit *tip = NULL;
    git_checkout_options options;
    int code;

    git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    if (find_tip(remote->repository, branch, &tip, err) < 0 ||
        point_branch(remote->repository, branch, tip, "clone", err) < 0)
        return -1;
    /* HEAD names the commit already, so that "safe" would take every file for deleted. */
    options.checkout_strategy = GIT_CHECKOUT_FORCE;
    options.disable_filters = !checkout_filters_are_needed(remote->repository, tip);
    if (options.disable_filters && checkout_by_threads(remote, tip))
        return 0;
    options.progress_cb = on_checkout_progress;
    options.progress_payload = remote;
    code = git_checkout_tree(remote->repository, (const git_object *)tip, &options);
    return code < 0 ? git_error_to_err(code, "checkout", err) : 0;
}

static int fail_conflict(const struct conflicts *conflicts, const char *branch, struct err *err)
{
    return err_set(err, ERR_PROTOCOL,
                   "checkout of %s would overwrite local changes in %s%s (commit, stash or remove "
                   "them)",
                   branch, buf_text(&conflicts->names),
                   conflicts->count > CONFLICTS_NAMED_MAX ? ", ..." : "");
}

static int checkout_tip(git_repository *repository, struct remote *reporter, const char *branch,
                        struct conflicts *conflicts, struct err *err)
{
    AUTO_GIT(commit) git_commit *tip = NULL;
    git_checkout_options options;
    int code;

    git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
    if (find_tip(repository, branch, &tip, err) < 0)
        return -1;
    options.checkout_strategy = GIT_CHECKOUT_SAFE;
    options.notify_flags = GIT_CHECKOUT_NOTIFY_CONFLICT;
    options.notify_cb = on_conflict;
    options.notify_payload = conflicts;
    options.progress_cb = on_checkout_progress;
    options.progress_payload = reporter;
    code = git_checkout_tree(repository, (const git_object *)tip, &options);
    if (code == GIT_ECONFLICT)
        return fail_conflict(conflicts, branch, err);
    if (code < 0)
        return git_error_to_err(code, "checkout", err);
    return point_branch(repository, branch, tip, "checkout", err);
}

int checkout_branch(const struct git_access *access, const char *path, const char *branch,
                    struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    struct remote reporter = {.access = access};
    struct conflicts conflicts = {.names = BUF_INIT(CONFLICT_TEXT_MAX)};
    int result;

    if (library_open(path, &repository, err) < 0)
        return -1;
    result = checkout_tip(repository, &reporter, branch, &conflicts, err);
    buf_free(&conflicts.names);
    return result;
}
