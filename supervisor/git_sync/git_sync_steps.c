#include "supervisor/git_sync/git_sync_steps.h"

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "git/checkout.h"
#include "git/clone.h"
#include "git/rebase.h"
#include "git/repository.h"
#include "git/stale_locks.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

enum { LOCK_NAMES_MAX = 256 };

static cJSON *text_field(const char *name, const char *text)
{
    cJSON *fields = cJSON_CreateObject();

    json_add_string(fields, name, text);
    return fields;
}

/* A mount point or an image may leave an empty directory where the checkout goes. */
static bool is_absent(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;
    bool empty = true;

    if (!directory)
        return !file_exists(path);
    while (empty && (entry = readdir(directory)))
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(directory);
    return empty;
}

static void tell_fall_back(struct git_sync_task *task)
{
    if (task->branch.fell_back)
        task->emit("info", "git.default_branch", text_field("branch", task->branch.name));
}

/* What git would have done to files and libgit2 does not: said, not silent. */
static void tell_unfiltered(struct git_sync_task *task)
{
    if (repository_has_attribute(task->path, "filter=lfs"))
        task->emit("warning", "git.lfs_not_fetched",
                   text_field("hint", "run \"git lfs pull\" in .openinspect/setup.sh"));
    if (repository_has_attribute(task->path, "working-tree-encoding="))
        task->emit("warning", "git.encoding_not_applied",
                   text_field("hint", "remove those files and run \"git checkout\" on them in "
                                      ".openinspect/setup.sh; they are UTF-8 now"));
}

static int clone(struct git_sync_task *task, struct err *err)
{
    task->operation = "clone";
    task->emit("info", "git.clone_start", NULL);
    task->access.limits.total_ms = task->clone_ms;
    if (clone_repository(&task->access, task->path, &task->branch, err) < 0)
        return -1;
    task->cloned = true;
    tell_fall_back(task);
    task->emit("info", "git.clone_complete", text_field("repo_path", task->path));
    tell_unfiltered(task);
    return 0;
}

static int set_url(struct git_sync_task *task, struct err *err)
{
    task->operation = "set_url";
    return repository_set_origin(task->path, task->access.url, err);
}

/* A snapshot or a kill may have caught git in the middle; at boot nobody else works here. */
static int remove_stale_locks(struct git_sync_task *task, struct err *err)
{
    AUTO_BUF struct buf removed = BUF_INIT(LOCK_NAMES_MAX);

    task->operation = "update";
    if (stale_locks_find(task->path, true, &removed, err) < 0)
        return -1;
    if (removed.len)
        task->emit("warning", "git.stale_lock_removed", text_field("files", buf_text(&removed)));
    return 0;
}

/* A restored checkout stays exactly as it was (S-195), but the agent's git will fail on these. */
static void tell_stale_locks(struct git_sync_task *task)
{
    AUTO_BUF struct buf found = BUF_INIT(LOCK_NAMES_MAX);
    cJSON *fields;

    if (stale_locks_find(task->path, false, &found, NULL) < 0 || !found.len)
        return;
    fields = text_field("files", buf_text(&found));
    json_add_string(fields, "hint", "a git was killed before the snapshot; remove them from .git");
    task->emit("warning", "git.stale_lock", fields);
}

static int fetch(struct git_sync_task *task, struct err *err)
{
    task->operation = "fetch";
    task->access.limits.total_ms = task->fetch_ms;
    if (fetch_branch(&task->access, task->path, &task->branch, err) < 0)
        return -1;
    tell_fall_back(task);
    return 0;
}

/* S-202, and in the spirit of SD-3 the same for an image's checkout: it is the session's own once
 * this sandbox has booted with it; before, only commits can be work. */
static int find_session_work(const struct git_sync_task *task, const char *branch, bool *has,
                             const char **why, struct err *err)
{
    bool own =
        !task->of_image || (task->sandbox_id && sandbox_mark_is(task->path, task->sandbox_id));

    return own ? repository_has_session_work(task->path, branch, has, why, err)
               : repository_has_own_commits(task->path, branch, task->branch.before, has, why, err);
}

static int update(struct git_sync_task *task, struct err *err)
{
    const char *why = NULL;

    if (remove_stale_locks(task, err) < 0 || set_url(task, err) < 0 || fetch(task, err) < 0)
        return -1;
    task->operation = "update";
    if (task->keep_session_work &&
        find_session_work(task, task->branch.name, &task->kept, &why, err) < 0)
        return -1;
    if (task->kept) {
        task->emit("info", "git.update_skip", text_field("reason", why));
        return 0;
    }
    task->operation = "checkout";
    return checkout_branch(&task->access, task->path, task->branch.name, err);
}

/* Whatever went wrong: a checkout with a session's work must not end the boot (S-202, SD-3). */
static void note_session_work(struct git_sync_task *task)
{
    const char *branch = task->branch.name[0] ? task->branch.name : task->branch.wanted;
    const char *why;
    bool has = false;

    if (task->keep_session_work && branch && find_session_work(task, branch, &has, &why, NULL) == 0)
        task->kept = has;
}

/* S-217, S-218: one that the control plane named, else what the session's first boot found. */
static void find_base(struct git_sync_task *task)
{
    if (task->given_base)
        snprintf(task->base_sha, sizeof task->base_sha, "%s", task->given_base);
    else if (!task->session_id || !sandbox_mark_base(task->path, task->session_id, task->base_sha))
        repository_head(task->path, task->base_sha, NULL);
}

/* Also after a failure: a session from an image goes on with the checkout that is there. */
static void leave_mark(struct git_sync_task *task)
{
    struct sandbox_mark mark = {.sandbox_id = task->sandbox_id};
    struct err err = {0};

    find_base(task);
    if (task->session_id && task->base_sha[0]) {
        mark.session_id = task->session_id;
        mark.base_sha = task->base_sha;
    }
    if (task->sandbox_id && !is_absent(task->path) &&
        sandbox_mark_write(task->path, &mark, &err) < 0)
        task->emit("warning", "git.mark_failed", text_field("error_message", err.text));
}

int git_sync_steps_current(struct git_sync_task *task, struct err *err)
{
    /* A fresh clone needs neither fetch nor checkout (S-201). */
    int result = is_absent(task->path) ? clone(task, err) : update(task, err);

    if (result < 0)
        note_session_work(task);
    leave_mark(task);
    return result;
}

static void tell_distance(struct git_sync_task *task)
{
    char branch[BRANCH_NAME_MAX];
    size_t behind = 0;
    cJSON *fields;

    if (repository_count_behind(task->path, branch, sizeof branch, &behind, NULL) < 0) {
        task->emit("debug", "git.snapshot_status_unknown", text_field("reason", branch));
        return;
    }
    fields = text_field("current_branch", branch);
    json_add_number(fields, "commits_behind", (double)behind);
    task->emit("info", "git.snapshot_status", fields);
}

int git_sync_steps_refresh(struct git_sync_task *task, struct err *err)
{
    if (is_absent(task->path))
        return git_sync_steps_current(task, err);
    tell_stale_locks(task);
    if (set_url(task, err) < 0 || fetch(task, err) < 0)
        return -1;
    tell_distance(task);
    return 0;
}

/* S-214, also after a failure, where there is a checkout. Its own failure is told and no more: commits can
 * be made with another name (S-512). */
static void set_identity(const struct git_sync_task *task)
{
    struct err err = {0};
    cJSON *fields;

    if (!task->identity_name || !task->identity_email || is_absent(task->path))
        return;
    if (repository_set_identity(task->path, task->identity_name, task->identity_email, &err) < 0) {
        fields = text_field("error_type", err_class_name(err.class));
        json_add_string(fields, "error_message", err.text);
        task->emit("error", "git.identity_error", fields);
        return;
    }
    fields = text_field("git_name", task->identity_name);
    json_add_string(fields, "git_email", task->identity_email);
    task->emit("info", "git.identity_configured", fields);
}

/* S-211 */
static void tell_head(struct git_sync_task *task)
{
    char sha[REPOSITORY_SHA_SIZE];

    if (repository_head(task->path, sha, NULL) == 0)
        task->emit("info", "git.sync_complete", text_field("head_sha", sha));
}

/* An existing checkout follows its branch (S-212). */
static int rebase(struct git_sync_task *task, struct err *err)
{
    enum rebase_outcome outcome = REBASE_UP_TO_DATE;
    struct err conflict = {0};

    if (remove_stale_locks(task, err) < 0 || set_url(task, err) < 0 || fetch(task, err) < 0)
        return -1;
    task->operation = "update";
    if (rebase_onto_origin(task->path, task->branch.name, &outcome, &conflict) < 0) {
        cJSON *fields = text_field("base_branch", task->branch.name);

        /* The sync counts as a success all the same (S-210). */
        json_add_string(fields, "stderr", conflict.text);
        task->emit("warning", "git.rebase_error", fields);
    }
    return 0;
}

int git_sync_steps_legacy(struct git_sync_task *task, struct err *err)
{
    int result = is_absent(task->path) ? clone(task, err) : rebase(task, err);

    if (result == 0)
        tell_head(task);
    set_identity(task);
    return result;
}

int git_sync_steps_legacy_quick(struct git_sync_task *task, struct err *err)
{
    struct err failure = {0};

    (void)err; /* always a success (S-213) */
    if (is_absent(task->path)) {
        task->emit("info", "git.quick_fetch_skip", text_field("reason", "no_repo_path"));
        return 0;
    }
    tell_stale_locks(task);
    if (set_url(task, &failure) < 0 || fetch(task, &failure) < 0)
        task->emit("warning", "git.quick_fetch_error", text_field("stderr", failure.text));
    else
        tell_distance(task);
    set_identity(task);
    return 0;
}

const char *git_sync_steps_failure_event(const char *operation, const struct err *err)
{
    if (strcmp(operation, "clone") == 0)
        return err->class == ERR_TIMEOUT ? "git.clone_timeout" : "git.clone_error";
    if (strcmp(operation, "set_url") == 0)
        return "git.set_url_failed";
    if (strcmp(operation, "fetch") == 0)
        return err->class == ERR_TIMEOUT ? "git.fetch_timeout" : "git.fetch_error";
    if (strcmp(operation, "checkout") == 0)
        return "git.checkout_error";
    return NULL;
}
