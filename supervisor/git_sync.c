#include "supervisor/git_sync.h"

#include "common/file.h"
#include "common/json.h"
#include "git/checkout.h"
#include "git/clone.h"
#include "git/rebase.h"
#include "git/repository.h"

#include <dirent.h>
#include <string.h>

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

static void tell_fall_back(struct git_sync *sync)
{
    if (sync->branch.fell_back)
        sync->emit("info", "git.default_branch", text_field("branch", sync->branch.name));
}

static int clone(struct git_sync *sync, struct err *err)
{
    sync->operation = "clone";
    sync->emit("info", "git.clone_start", NULL);
    sync->access.limits.total_ms = sync->clone_ms;
    if (clone_repository(&sync->access, sync->path, &sync->branch, err) < 0)
        return -1;
    sync->cloned = true;
    tell_fall_back(sync);
    sync->emit("info", "git.clone_complete", text_field("repo_path", sync->path));
    return 0;
}

static int set_url(struct git_sync *sync, struct err *err)
{
    sync->operation = "set_url";
    return repository_set_origin(sync->path, sync->access.url, err);
}

static int fetch(struct git_sync *sync, struct err *err)
{
    sync->operation = "fetch";
    sync->access.limits.total_ms = sync->fetch_ms;
    if (fetch_branch(&sync->access, sync->path, &sync->branch, err) < 0)
        return -1;
    tell_fall_back(sync);
    return 0;
}

int git_sync_current(struct git_sync *sync, struct err *err)
{
    const char *why = NULL;

    /* A fresh clone needs neither fetch nor checkout (S-201). */
    if (is_absent(sync->path))
        return clone(sync, err);
    if (set_url(sync, err) < 0 || fetch(sync, err) < 0)
        return -1;
    sync->operation = "update";
    if (sync->keep_session_work &&
        repository_has_session_work(sync->path, sync->branch.name, &sync->kept, &why, err) < 0)
        return -1;
    if (sync->kept) {
        sync->emit("info", "git.update_skip", text_field("reason", why));
        return 0;
    }
    sync->operation = "checkout";
    return checkout_branch(&sync->access, sync->path, sync->branch.name, err);
}

int git_sync_refresh(struct git_sync *sync, struct err *err)
{
    if (is_absent(sync->path))
        return git_sync_current(sync, err);
    if (set_url(sync, err) < 0)
        return -1;
    return fetch(sync, err);
}

static int set_identity(struct git_sync *sync, struct err *err)
{
    cJSON *fields;

    if (!sync->identity_name || !sync->identity_email)
        return 0;
    sync->operation = "update";
    if (repository_set_identity(sync->path, sync->identity_name, sync->identity_email, err) < 0)
        return -1;
    fields = text_field("git_name", sync->identity_name);
    json_add_string(fields, "git_email", sync->identity_email);
    sync->emit("info", "git.identity_configured", fields);
    return 0;
}

int git_sync_legacy(struct git_sync *sync, struct err *err)
{
    enum rebase_outcome outcome = REBASE_UP_TO_DATE;
    struct err conflict = {0};

    if (is_absent(sync->path)) {
        if (clone(sync, err) < 0)
            return -1;
        return set_identity(sync, err);
    }
    if (set_url(sync, err) < 0 || fetch(sync, err) < 0)
        return -1;
    sync->operation = "update";
    if (rebase_onto_origin(sync->path, sync->branch.name, &outcome, &conflict) < 0) {
        cJSON *fields = text_field("base_branch", sync->branch.name);

        /* The sync counts as a success all the same (S-210). */
        json_add_string(fields, "stderr", conflict.text);
        sync->emit("warning", "git.rebase_error", fields);
    }
    return set_identity(sync, err);
}

static void tell_distance(struct git_sync *sync)
{
    char branch[BRANCH_NAME_MAX];
    size_t behind = 0;
    cJSON *fields;

    if (repository_count_behind(sync->path, branch, sizeof branch, &behind, NULL) < 0) {
        sync->emit("debug", "git.snapshot_status_unknown", text_field("reason", branch));
        return;
    }
    fields = text_field("current_branch", branch);
    json_add_number(fields, "commits_behind", (double)behind);
    sync->emit("info", "git.snapshot_status", fields);
}

int git_sync_legacy_quick(struct git_sync *sync, struct err *err)
{
    struct err failure = {0};

    if (is_absent(sync->path)) {
        sync->emit("info", "git.quick_fetch_skip", text_field("reason", "no_repo_path"));
        return 0;
    }
    /* Always a success (S-213). */
    if (set_url(sync, &failure) < 0 || fetch(sync, &failure) < 0)
        sync->emit("warning", "git.quick_fetch_error", text_field("stderr", failure.text));
    else
        tell_distance(sync);
    return set_identity(sync, err);
}

const char *git_sync_failure_event(const char *operation, const struct err *err)
{
    if (strcmp(operation, "clone") == 0)
        return err->class == ERR_TIMEOUT ? "git.clone_timeout" : "git.clone_error";
    if (strcmp(operation, "set_url") == 0)
        return "git.set_url_failed";
    if (strcmp(operation, "fetch") == 0)
        return err->class == ERR_TIMEOUT ? "git.fetch_timeout" : "git.fetch_error";
    if (strcmp(operation, "checkout") == 0)
        return "git.checkout_error";
    return "git.update_error";
}
