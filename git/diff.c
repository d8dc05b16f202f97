#include "git/diff_private.h"

#include "common/clock.h"
#include "common/file.h"
#include "git/diff_exclusions.h"
#include "git/diff_renames.h"
#include "git/git_error.h"
#include "git/library.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXCLUDE_FILE_MAX ((size_t)1024 * 1024)
#define RENAME_LIMIT_MOST 100000

/* ---- time ---- */

void diff_begin_step(struct diff *diff)
{
    diff->deadline_ms = clock_monotonic_ms() + diff->step_ms;
}

bool diff_is_too_late(const struct diff *diff)
{
    return clock_monotonic_ms() >= diff->deadline_ms;
}

int diff_set_too_late(struct err *err)
{
    return err_set(err, ERR_TIMEOUT, "git took too long");
}

/* ---- opening ---- */

static int find_base(struct diff *diff, const char *base, struct err *err)
{
    AUTO_GIT(object) git_object *named = NULL;
    AUTO_GIT(object) git_object *tree = NULL;
    git_oid id;

    if (git_oid_fromstr(&id, base) != 0 ||
        git_object_lookup(&named, diff->repository, &id, GIT_OBJECT_ANY) != 0 ||
        git_object_peel(&tree, named, GIT_OBJECT_TREE) != 0 ||
        git_object_type(named) == GIT_OBJECT_TREE)
        return err_set(err, ERR_NOT_FOUND, "fatal: Not a valid object name %s^{commit}", base);
    diff->base = (git_tree *)tree;
    tree = NULL;
    return 0;
}

static int find_head(struct diff *diff, struct err *err)
{
    git_oid id;
    int code = git_reference_name_to_id(&id, diff->repository, "HEAD");

    if (code == GIT_ENOTFOUND)
        return err_set(err, ERR_NOT_FOUND, "fatal: HEAD has no commit");
    if (code < 0)
        return git_error_to_err(code, "read HEAD", err);
    git_oid_tostr(diff->head, sizeof diff->head, &id);
    return 0;
}

static void read_settings(struct diff *diff)
{
    AUTO_GIT(config) git_config *config = NULL;
    int value;

    diff->quote_high = true;
    diff->trust_modes = true;
    diff->rename_limit = RENAMES_LIMIT;
    if (git_repository_config_snapshot(&config, diff->repository) != 0)
        return;
    if (git_config_get_bool(&value, config, "core.quotePath") == 0)
        diff->quote_high = value;
    if (git_config_get_bool(&value, config, "core.fileMode") == 0)
        diff->trust_modes = value;
    if (git_config_get_int32(&value, config, "diff.renameLimit") == 0 && value >= 0)
        diff->rename_limit =
            value == 0 || value > RENAME_LIMIT_MOST ? RENAME_LIMIT_MOST : (size_t)value;
}

static void read_exclusions(struct diff *diff)
{
    AUTO_GIT_BUF git_buf folder = {0};
    AUTO_BUF struct buf path = BUF_INIT(PATH_MAX), text = BUF_INIT(EXCLUDE_FILE_MAX);

    if (git_repository_item_path(&folder, diff->repository, GIT_REPOSITORY_ITEM_INFO) != 0)
        return;
    buf_printf(&path, "%s/exclude", folder.ptr);
    if (file_read(buf_text(&path), &text, NULL) == 0)
        diff_exclusions_parse(buf_text(&text), &diff->excluded);
}

/* ---- untracked files ---- */

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static size_t count_ends(const struct buf *text)
{
    size_t ends = 0;

    for (size_t i = 0; i < text->len; i++)
        ends += text->data[i] == '\0';
    return ends;
}

static int sort_untracked(struct diff *diff, struct err *err)
{
    size_t all = count_ends(&diff->untracked_text), at = 0;

    diff->untracked = calloc(all ? all : 1, sizeof *diff->untracked);
    if (!diff->untracked)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    while (at < diff->untracked_text.len) {
        const char *path = diff->untracked_text.data + at;

        if (!diff_exclusions_cover(&diff->excluded, path))
            diff->untracked[diff->untracked_count++] = path;
        at += strlen(path) + 1;
    }
    qsort(diff->untracked, diff->untracked_count, sizeof *diff->untracked, compare_paths);
    return 0;
}

/* The change of the tracked file with this path, or NULL. A slash at the end is no part of it. */
static struct diff_entry *find_entry(const struct diff *diff, const char *path)
{
    size_t len = strlen(path), low = 0, high = diff->count;

    if (len > 0 && path[len - 1] == '/')
        len--;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *other = diff->entries[middle].path;
        int order = strncmp(other, path, len);

        if (order == 0 && other[len] == '\0')
            return &diff->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* What is listed as untracked although the list of tracked changes has it: a file that `git rm
 * --cached` took out of the index, which is one change, not two (B-1016), and a repository in place
 * of a file. */
static void drop_listed_twice(struct diff *diff)
{
    size_t kept = 0;

    for (size_t i = 0; i < diff->untracked_count; i++) {
        struct diff_entry *entry = find_entry(diff, diff->untracked[i]);

        if (entry && entry->new_side.mode == 0)
            entry->overlaid = true;
        else if (!entry || entry->new_side.mode != DIFF_MODE_SUBMODULE)
            diff->untracked[kept++] = diff->untracked[i];
    }
    diff->untracked_count = kept;
}

int diff_open(const struct diff_options *options, struct diff **out, struct err *err)
{
    struct diff *diff = calloc(1, sizeof *diff);

    *out = diff;
    if (!diff)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    diff->listing_max = options->listing_max;
    diff->untracked_text = BUF_INIT(options->listing_max);
    diff->excluded = BUF_INIT(EXCLUDE_FILE_MAX);
    diff->step_ms = options->step_ms;
    diff_begin_step(diff);
    if (library_open(options->path, &diff->repository, err) != 0)
        goto fail;
    diff->workdir = git_repository_workdir(diff->repository);
    if (!diff->workdir) {
        err_set(err, ERR_NOT_FOUND, "%s is a repository without checkout", options->path);
        goto fail;
    }
    if (git_repository_odb(&diff->odb, diff->repository) != 0) {
        git_error_to_err(GIT_ERROR, "open the object database", err);
        goto fail;
    }
    read_settings(diff);
    read_exclusions(diff);
    if (find_base(diff, options->base, err) == 0 && find_head(diff, err) == 0 &&
        diff_list(diff, err) == 0 && sort_untracked(diff, err) == 0) {
        drop_listed_twice(diff);
        return 0;
    }
fail:
    diff_close(diff);
    *out = NULL;
    return -1;
}

void diff_close(struct diff *diff)
{
    if (!diff)
        return;
    for (size_t i = 0; i < diff->count; i++) {
        free(diff->entries[i].path);
        free(diff->entries[i].old_path);
    }
    free(diff->entries);
    free(diff->untracked);
    buf_free(&diff->untracked_text);
    buf_free(&diff->excluded);
    git_tree_free(diff->base);
    git_odb_free(diff->odb);
    git_repository_free(diff->repository);
    free(diff);
}

/* ---- reading ---- */

const char *diff_head(const struct diff *diff)
{
    return diff->head;
}

size_t diff_count(const struct diff *diff)
{
    return diff->count + diff->untracked_count;
}

static enum diff_status status_of(const struct diff_entry *entry)
{
    if (entry->old_path)
        return DIFF_RENAMED;
    if (entry->old_side.mode == 0)
        return DIFF_ADDED;
    if (entry->new_side.mode == 0)
        return DIFF_DELETED;
    if ((entry->old_side.mode & S_IFMT) != (entry->new_side.mode & S_IFMT))
        return DIFF_TYPE_CHANGED;
    return DIFF_MODIFIED;
}

static void print_submodule(const struct diff_side *side, char sha[DIFF_SHA_SIZE])
{
    sha[0] = '\0';
    if (side->mode == DIFF_MODE_SUBMODULE)
        git_oid_tostr(sha, DIFF_SHA_SIZE, &side->id);
}

const struct diff_change *diff_at(struct diff *diff, size_t index)
{
    const struct diff_entry *entry;

    if (index >= diff->count) {
        diff->shown = (struct diff_change){
            .status = DIFF_ADDED, .path = diff->untracked[index - diff->count], .untracked = true};
        return &diff->shown;
    }
    entry = &diff->entries[index];
    diff->shown = (struct diff_change){
        .status = status_of(entry),
        .path = entry->path,
        .old_path = entry->old_path,
        .old_mode = entry->old_side.mode,
        .new_mode = entry->new_side.mode,
        .unmerged = entry->unmerged,
        .overlaid = entry->overlaid,
    };
    print_submodule(&entry->old_side, diff->shown.old_submodule);
    print_submodule(&entry->new_side, diff->shown.new_submodule);
    return &diff->shown;
}
