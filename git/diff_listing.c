/*
 * Which tracked files differ, put together as `git diff <commit>` does: a path that is in the index
 * is compared as it is on disk, one that is not counts as deleted. libgit2 finds the differences
 * commit - index and index - disk, and the untracked files; submodules are looked at here, because
 * libgit2 knows only those that stand in .gitmodules.
 */
#include "git/diff_private.h"
#include "git/git_error.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a record of `git diff --raw -z --no-abbrev` beside its path: modes, ids, letter, NUL. */
#define RAW_RECORD_BYTES (sizeof ":100644 100644 " - 1 + 2 * sizeof(char[DIFF_SHA_SIZE]) + 2)

#define FIRST_ENTRIES 32

struct listing {
    struct diff *diff;
    git_diff *staged, *unstaged;
    const git_index_entry **links; /* submodules of the index */
    size_t link_count;
    size_t at_staged, at_unstaged, at_link;
    size_t listed_bytes;
    bool too_long;
};

/* What is known of one path. */
struct path_state {
    const char *path;
    const git_diff_delta *staged;   /* commit -> index; NULL: the same */
    const git_diff_delta *unstaged; /* index -> disk; NULL: the same */
    const git_index_entry *link;
    bool unmerged;
};

/* ---- asking libgit2 ---- */

static int on_progress(const git_diff *so_far, const char *old_path, const char *new_path,
                       void *user)
{
    const struct listing *listing = user;

    (void)so_far, (void)old_path, (void)new_path;
    return diff_is_too_late(listing->diff) ? -1 : 0;
}

/* Untracked files go into a list of their own, which is smaller. What is tracked is counted here only
 * to bound the memory: how much git would print is known when both differences are. */
static int on_delta(const git_diff *so_far, const git_diff_delta *delta, const char *matched,
                    void *user)
{
    struct listing *listing = user;
    struct buf *untracked = &listing->diff->untracked_text;

    (void)so_far, (void)matched;
    if (delta->status == GIT_DELTA_UNTRACKED) {
        buf_append(untracked, delta->new_file.path, strlen(delta->new_file.path) + 1);
        listing->too_long = buf_failed(untracked);
        return listing->too_long ? -1 : 1;
    }
    listing->listed_bytes += RAW_RECORD_BYTES + strlen(delta->old_file.path) + 1;
    listing->too_long = listing->listed_bytes / 2 > listing->diff->listing_max;
    return listing->too_long ? -1 : 0;
}

static int set_list_error(const struct listing *listing, int code, struct err *err)
{
    if (listing->too_long)
        return err_set(err, ERR_LIMIT, "Repository change metadata exceeded its memory limit");
    if (diff_is_too_late(listing->diff))
        return diff_set_too_late(err);
    return git_error_to_err(code, "list the changes", err);
}

static int ask(struct listing *listing, git_index *index, struct err *err)
{
    git_diff_options options;
    int code;

    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_INCLUDE_TYPECHANGE | GIT_DIFF_SKIP_BINARY_CHECK;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    options.notify_cb = on_delta;
    options.progress_cb = on_progress;
    options.payload = listing;
    code = git_diff_tree_to_index(&listing->staged, listing->diff->repository, listing->diff->base,
                                  index, &options);
    if (code < 0)
        return set_list_error(listing, code, err);
    options.flags |= GIT_DIFF_INCLUDE_UNTRACKED | GIT_DIFF_RECURSE_UNTRACKED_DIRS;
    listing->listed_bytes = 0;
    code =
        git_diff_index_to_workdir(&listing->unstaged, listing->diff->repository, index, &options);
    return code < 0 ? set_list_error(listing, code, err) : 0;
}

static int find_links(struct listing *listing, git_index *index, struct err *err)
{
    size_t count = git_index_entrycount(index);

    for (size_t i = 0; i < count; i++) {
        const git_index_entry *entry = git_index_get_byindex(index, i);
        void *grown;

        if (entry->mode != DIFF_MODE_SUBMODULE || git_index_entry_is_conflict(entry))
            continue;
        grown = realloc(listing->links, (listing->link_count + 1) * sizeof *listing->links);
        if (!grown)
            return err_set(err, ERR_NO_MEMORY, "out of memory");
        listing->links = grown;
        listing->links[listing->link_count++] = entry;
    }
    return 0;
}

/* ---- putting it together ---- */

static const git_diff_delta *delta_at(const git_diff *list, size_t at)
{
    return at < git_diff_num_deltas(list) ? git_diff_get_delta(list, at) : NULL;
}

static const char *earlier(const char *a, const char *b)
{
    if (!a || !b)
        return a ? a : b;
    return strcmp(a, b) <= 0 ? a : b;
}

/* The deltas of `path` at the list's place; the place moves past them. */
static const git_diff_delta *take_delta(const git_diff *list, size_t *at, const char *path,
                                        bool *unmerged)
{
    const git_diff_delta *taken = NULL, *delta;

    while ((delta = delta_at(list, *at)) && strcmp(delta->old_file.path, path) == 0) {
        *unmerged |= delta->status == GIT_DELTA_CONFLICTED;
        taken = delta;
        (*at)++;
    }
    return taken;
}

static bool next_path(struct listing *listing, struct path_state *state)
{
    const git_diff_delta *staged = delta_at(listing->staged, listing->at_staged);
    const git_diff_delta *unstaged = delta_at(listing->unstaged, listing->at_unstaged);
    const git_index_entry *link =
        listing->at_link < listing->link_count ? listing->links[listing->at_link] : NULL;

    *state = (struct path_state){0};
    state->path =
        earlier(staged ? staged->old_file.path : NULL, unstaged ? unstaged->old_file.path : NULL);
    state->path = earlier(state->path, link ? link->path : NULL);
    if (!state->path)
        return false;
    state->staged = take_delta(listing->staged, &listing->at_staged, state->path, &state->unmerged);
    state->unstaged =
        take_delta(listing->unstaged, &listing->at_unstaged, state->path, &state->unmerged);
    if (link && strcmp(link->path, state->path) == 0) {
        state->link = link;
        listing->at_link++;
    }
    return true;
}

static struct diff_side side_of(const git_diff_file *file, bool is_there)
{
    if (!is_there)
        return (struct diff_side){0};
    return (struct diff_side){.mode = file->mode, .id = file->id, .has_id = true};
}

/* Of a path in conflict the index has no version that counts. */
static struct diff_side side_in_base(const struct diff *diff, const char *path)
{
    AUTO_GIT(tree_entry) git_tree_entry *entry = NULL;

    if (git_tree_entry_bypath(&entry, diff->base, path) != 0)
        return (struct diff_side){0};
    return (struct diff_side){
        .mode = git_tree_entry_filemode(entry), .id = *git_tree_entry_id(entry), .has_id = true};
}

static struct diff_side side_on_disk(const struct diff *diff, const char *path, unsigned indexed)
{
    struct diff_side side = {.mode = diff_mode_on_disk(diff, path, indexed), .on_disk = true};

    if (side.mode == DIFF_MODE_SUBMODULE)
        side.has_id = diff_submodule_head(diff, path, &side.id);
    return side;
}

/* A submodule that is not checked out is as the index says. */
static struct diff_side side_of_link(const struct diff *diff, const git_index_entry *link)
{
    struct diff_side side = side_on_disk(diff, link->path, link->mode);

    if (side.mode == DIFF_MODE_SUBMODULE && !side.has_id) {
        side.id = link->id;
        side.has_id = true;
    }
    return side;
}

static struct diff_side side_after_unstaged(const struct diff *diff, const struct path_state *state,
                                            unsigned indexed)
{
    struct diff_side side = side_on_disk(diff, state->path, indexed);

    /* A folder in its place may be a repository. Anything else there is behind a link: not ours. */
    if (state->unstaged->status == GIT_DELTA_DELETED && side.mode != DIFF_MODE_SUBMODULE)
        return (struct diff_side){0};
    return side;
}

static void find_sides(const struct diff *diff, const struct path_state *state,
                       struct diff_side *before, struct diff_side *after)
{
    const git_diff_delta *staged = state->staged, *unstaged = state->unstaged;
    struct diff_side indexed;

    if (state->unmerged) {
        *before = side_in_base(diff, state->path);
        *after = side_on_disk(diff, state->path, before->mode);
        return;
    }
    if (staged) {
        *before = side_of(&staged->old_file, staged->status != GIT_DELTA_ADDED);
        indexed = side_of(&staged->new_file, staged->status != GIT_DELTA_DELETED);
    } else if (state->link) {
        *before =
            (struct diff_side){.mode = state->link->mode, .id = state->link->id, .has_id = true};
        indexed = *before;
    } else {
        *before = side_of(&unstaged->old_file, true);
        indexed = *before;
    }
    if (indexed.mode == 0)
        *after = indexed;
    else if (state->link)
        *after = side_of_link(diff, state->link);
    else if (unstaged)
        *after = side_after_unstaged(diff, state, indexed.mode);
    else
        *after = indexed;
}

/* 1: they differ; 0: nothing to show. */
static int do_sides_differ(struct diff *diff, const char *path, struct diff_side *before,
                           struct diff_side *after, struct err *err)
{
    if (before->mode == 0 && after->mode == 0)
        return 0;
    if (diff_identify(diff, path, after, err) != 0)
        return -1;
    if (before->mode != after->mode || !git_oid_equal(&before->id, &after->id))
        return 1;
    return after->mode == DIFF_MODE_SUBMODULE && diff_submodule_is_dirty(diff, path);
}

static struct diff_entry *new_entry(struct diff *diff)
{
    if (diff->count == diff->cap) {
        size_t cap = diff->cap ? 2 * diff->cap : FIRST_ENTRIES;
        void *grown = realloc(diff->entries, cap * sizeof *diff->entries);

        if (!grown)
            return NULL;
        diff->entries = grown;
        diff->cap = cap;
    }
    return &diff->entries[diff->count];
}

static int add_path(struct diff *diff, const struct path_state *state, struct err *err)
{
    struct diff_side before, after;
    struct diff_entry *entry;
    int differ;

    find_sides(diff, state, &before, &after);
    differ = do_sides_differ(diff, state->path, &before, &after, err);
    if (differ <= 0)
        return differ;
    entry = new_entry(diff);
    if (entry)
        *entry = (struct diff_entry){.path = strdup(state->path),
                                     .old_side = before,
                                     .new_side = after,
                                     .unmerged = state->unmerged};
    if (!entry || !entry->path)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    diff->count++;
    return 0;
}

static int put_together(struct listing *listing, struct err *err)
{
    struct path_state state;

    while (next_path(listing, &state)) {
        if (diff_is_too_late(listing->diff))
            return diff_set_too_late(err);
        if (add_path(listing->diff, &state, err) != 0)
            return -1;
    }
    return 0;
}

/* Exactly what git would print, after renames were found. */
static int check_length(const struct listing *listing, struct err *err)
{
    const struct diff *diff = listing->diff;
    size_t bytes = 0;

    for (size_t i = 0; i < diff->count; i++) {
        const struct diff_entry *entry = &diff->entries[i];

        bytes += RAW_RECORD_BYTES + strlen(entry->path) + 1;
        if (entry->old_path)
            bytes += sizeof "100" - 1 + strlen(entry->old_path) + 1;
    }
    if (bytes > diff->listing_max)
        return err_set(err, ERR_LIMIT, "Repository change metadata exceeded its memory limit");
    return 0;
}

int diff_list(struct diff *diff, struct err *err)
{
    AUTO_GIT(index) git_index *index = NULL;
    struct listing listing = {.diff = diff};
    int code = git_repository_index(&index, diff->repository);

    if (code < 0)
        return git_error_to_err(code, "read the index", err);
    if (ask(&listing, index, err) != 0 || find_links(&listing, index, err) != 0 ||
        put_together(&listing, err) != 0 || diff_join_renames(diff, err) != 0 ||
        check_length(&listing, err) != 0)
        code = -1;
    git_diff_free(listing.staged);
    git_diff_free(listing.unstaged);
    free(listing.links);
    return code;
}
