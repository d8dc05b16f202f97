/*
 * Turns pairs of a deletion and an addition into renames; diff_renames.h decides which.
 */
#include "git/diff_private.h"
#include "git/diff_renames.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(RENAMES_ID_SIZE == GIT_OID_SHA1_SIZE, "SHA-1, as everywhere in libgit2");

enum { SIDE_OLD, SIDE_NEW, SIDE_COUNT };

struct rename_step {
    struct diff *diff;
    struct err *err;
    struct rename_candidate *sources, *targets;
    size_t source_count, target_count;
    bool failed; /* `err` says why */
};

static int read_similarity(void *user, size_t key, struct similarity *out)
{
    struct rename_step *step = user;
    const struct diff_entry *entry = &step->diff->entries[key / SIDE_COUNT];
    const struct diff_side *side =
        key % SIDE_COUNT == SIDE_OLD ? &entry->old_side : &entry->new_side;
    struct diff_content content;
    bool is_text;
    int code = 0;

    step->failed = true;
    if (diff_is_too_late(step->diff))
        return diff_set_too_late(step->err);
    if (diff_content_load(step->diff, entry->path, side, &content, step->err) != 0)
        return -1;
    step->failed = false;
    is_text = !diff_content_is_binary(step->diff, entry->path, &content);
    if (!content.too_large)
        code = similarity_measure(content.data, content.len, is_text, out);
    diff_content_free(&content);
    return code;
}

static void add_candidate(struct rename_candidate *list, size_t *count,
                          const struct diff_entry *entry, const struct diff_side *side, size_t key)
{
    struct rename_candidate *candidate = &list[(*count)++];

    *candidate = (struct rename_candidate){.path = entry->path, .mode = side->mode, .key = key};
    memcpy(candidate->id, side->id.id, sizeof candidate->id);
}

static void collect(struct rename_step *step)
{
    for (size_t i = 0; i < step->diff->count; i++) {
        const struct diff_entry *entry = &step->diff->entries[i];

        if (entry->new_side.mode == 0)
            add_candidate(step->sources, &step->source_count, entry, &entry->old_side,
                          i * SIDE_COUNT + SIDE_OLD);
        else if (entry->old_side.mode == 0)
            add_candidate(step->targets, &step->target_count, entry, &entry->new_side,
                          i * SIDE_COUNT + SIDE_NEW);
    }
}

/* The deletion goes into the addition, which keeps its place. */
static void join(struct rename_step *step, const struct rename_candidate *target)
{
    struct diff_entry *to = &step->diff->entries[target->key / SIDE_COUNT];
    struct diff_entry *from = &step->diff->entries[step->sources[target->source].key / SIDE_COUNT];

    to->old_path = from->path;
    from->path = NULL;
    to->old_side = from->old_side;
    to->score = target->score;
}

static void remove_joined(struct diff *diff)
{
    size_t kept = 0;

    for (size_t i = 0; i < diff->count; i++) {
        if (diff->entries[i].path)
            diff->entries[kept++] = diff->entries[i];
    }
    diff->count = kept;
}

int diff_join_renames(struct diff *diff, struct err *err)
{
    size_t room = diff->count ? diff->count : 1;
    struct rename_step step = {
        .diff = diff,
        .err = err,
        .sources = calloc(room, sizeof *step.sources),
        .targets = calloc(room, sizeof *step.targets),
    };
    int code = -1;

    if (step.sources && step.targets) {
        collect(&step);
        code = renames_find(step.sources, step.source_count, step.targets, step.target_count,
                            diff->rename_limit, read_similarity, &step);
    }
    if (code != 0 && !step.failed)
        err_set(err, ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; code == 0 && i < step.target_count; i++) {
        if (step.targets[i].source != RENAMES_NONE)
            join(&step, &step.targets[i]);
    }
    if (code == 0)
        remove_joined(diff);
    free(step.sources);
    free(step.targets);
    return code;
}
