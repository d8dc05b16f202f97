#include "git/diff_renames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A pair with the same name in another folder must be this similar to be taken without a look at
 * the others. */
#define SAME_NAME_LEAST (SIMILARITY_RENAME + (SIMILARITY_MAX - SIMILARITY_RENAME) / 2)

/* Of each target only so many of its best sources take part in the choice. */
#define CANDIDATES_PER_TARGET 4

/* Of files with the same content only so many are looked at. */
#define IDENTICAL_MAX 100

struct search {
    struct rename_candidate *sources, *targets;
    size_t source_count, target_count;
    struct similarity *signatures; /* of the sources; measured when needed */
    bool *measured;
    size_t signature_bytes;
    rename_reader_fn *reader;
    void *user;
};

static bool is_regular(const struct rename_candidate *file)
{
    return S_ISREG(file->mode);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool has_same_name(const struct rename_candidate *a, const struct rename_candidate *b)
{
    return strcmp(base_name(a->path), base_name(b->path)) == 0;
}

static void take(struct search *search, size_t target, size_t source, unsigned score)
{
    search->targets[target].source = source;
    search->targets[target].score = score;
    search->sources[source].used = true;
}

/* ---- the same content ---- */

struct by_id {
    const struct rename_candidate *file;
    size_t index;
};

static int compare_ids(const void *left, const void *right)
{
    const struct by_id *a = left, *b = right;
    int order = memcmp(a->file->id, b->file->id, RENAMES_ID_SIZE);

    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* Where the files with this content begin. */
static size_t first_with_id(const struct by_id *sorted, size_t count, const unsigned char *id)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (memcmp(sorted[middle].file->id, id, RENAMES_ID_SIZE) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first free source with the same content, rather one with the same name. */
static size_t find_identical(const struct search *search, const struct by_id *sorted,
                             const struct rename_candidate *target)
{
    size_t best = RENAMES_NONE, at = first_with_id(sorted, search->source_count, target->id);

    for (size_t looked = 0; at < search->source_count && looked <= IDENTICAL_MAX; at++) {
        const struct rename_candidate *source = sorted[at].file;

        if (memcmp(source->id, target->id, RENAMES_ID_SIZE) != 0)
            break;
        if (!(is_regular(source) && is_regular(target)) && source->mode != target->mode)
            continue;
        if (source->used)
            continue;
        if (has_same_name(source, target))
            return sorted[at].index;
        if (best == RENAMES_NONE)
            best = sorted[at].index;
        looked++;
    }
    return best;
}

static int take_identical(struct search *search)
{
    struct by_id *sorted = calloc(search->source_count, sizeof *sorted);

    if (!sorted)
        return -1;
    for (size_t i = 0; i < search->source_count; i++)
        sorted[i] = (struct by_id){&search->sources[i], i};
    qsort(sorted, search->source_count, sizeof *sorted, compare_ids);
    for (size_t i = 0; i < search->target_count; i++) {
        size_t source = find_identical(search, sorted, &search->targets[i]);

        if (source != RENAMES_NONE)
            take(search, i, source, SIMILARITY_MAX);
    }
    free(sorted);
    return 0;
}

/* ---- similar content ---- */

/* 0 and the source's signature in its place; 1 when there is no more room for signatures. */
static int measure_source(struct search *search, size_t source)
{
    struct similarity *signature = &search->signatures[source];

    if (search->measured[source])
        return 0;
    if (search->signature_bytes > RENAMES_SIGNATURES_MAX)
        return 1;
    if (search->reader(search->user, search->sources[source].key, signature) != 0)
        return -1;
    search->measured[source] = true;
    search->signature_bytes += signature->count * sizeof *signature->pieces;
    return 0;
}

/* As measure_source; `score` is of that source and the target with this signature. */
static int score_pair(struct search *search, size_t source, const struct similarity *target,
                      unsigned least, unsigned *score)
{
    int code;

    *score = 0;
    if (!is_regular(&search->sources[source]))
        return 0;
    code = measure_source(search, source);
    if (code == 0)
        *score = similarity_score(&search->signatures[source], target, least);
    return code;
}

static int measure_target(struct search *search, size_t target, struct similarity *signature)
{
    return search->reader(search->user, search->targets[target].key, signature);
}

static bool is_open_source(const struct search *search, size_t i)
{
    return !search->sources[i].used;
}

static bool is_open_target(const struct search *search, size_t i)
{
    return search->targets[i].source == RENAMES_NONE;
}

/* ---- the same name ---- */

struct by_name {
    const char *name;
    size_t index;
};

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct by_name *)left)->name, ((const struct by_name *)right)->name);
}

static struct by_name *sort_names(const struct search *search, const struct rename_candidate *files,
                                  size_t count, bool (*is_open)(const struct search *, size_t),
                                  size_t *out_count)
{
    struct by_name *names = calloc(count ? count : 1, sizeof *names);

    *out_count = 0;
    for (size_t i = 0; names && i < count; i++) {
        if (is_open(search, i))
            names[(*out_count)++] = (struct by_name){base_name(files[i].path), i};
    }
    if (names)
        qsort(names, *out_count, sizeof *names, compare_names);
    return names;
}

/* The file with this name, or RENAMES_NONE unless there is exactly one. */
static size_t only_with_name(const struct by_name *names, size_t count, const char *name)
{
    const struct by_name wanted = {name, 0};
    const struct by_name *found = bsearch(&wanted, names, count, sizeof *names, compare_names);
    size_t at;

    if (!found)
        return RENAMES_NONE;
    at = (size_t)(found - names);
    if ((at > 0 && strcmp(names[at - 1].name, name) == 0) ||
        (at + 1 < count && strcmp(names[at + 1].name, name) == 0))
        return RENAMES_NONE;
    return found->index;
}

static int try_same_name(struct search *search, size_t source, size_t target)
{
    struct similarity signature = {0};
    unsigned score = 0;
    int code;

    if (!is_regular(&search->sources[source]) || !is_regular(&search->targets[target]))
        return 0;
    code = measure_target(search, target, &signature);
    if (code == 0)
        code = score_pair(search, source, &signature, SAME_NAME_LEAST, &score);
    if (code == 0 && score >= SAME_NAME_LEAST)
        take(search, target, source, score);
    similarity_clear(&signature);
    return code;
}

static int take_same_names(struct search *search)
{
    size_t source_names, target_names;
    struct by_name *sources =
        sort_names(search, search->sources, search->source_count, is_open_source, &source_names);
    struct by_name *targets =
        sort_names(search, search->targets, search->target_count, is_open_target, &target_names);
    int code = sources && targets ? 0 : -1;

    for (size_t i = 0; code == 0 && i < search->source_count; i++) {
        const char *name = base_name(search->sources[i].path);
        size_t target;

        if (search->sources[i].used || only_with_name(sources, source_names, name) != i)
            continue;
        target = only_with_name(targets, target_names, name);
        if (target != RENAMES_NONE && is_open_target(search, target))
            code = try_same_name(search, i, target);
    }
    free(sources);
    free(targets);
    return code;
}

/* ---- the best pairs of all ---- */

struct pair {
    size_t target; /* RENAMES_NONE: an empty place */
    size_t source;
    unsigned score;
    bool same_name;
    size_t place; /* keeps the sorting stable */
};

/* Above 0 when `a` is the worse one. */
static int compare_pairs(const struct pair *a, const struct pair *b)
{
    if (a->target == RENAMES_NONE || b->target == RENAMES_NONE)
        return (a->target == RENAMES_NONE) - (b->target == RENAMES_NONE);
    if (a->score != b->score)
        return a->score < b->score ? 1 : -1;
    return b->same_name - a->same_name;
}

static int compare_places(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    int order = compare_pairs(a, b);

    return order ? order : (a->place > b->place) - (a->place < b->place);
}

static void keep_if_better(struct pair *row, const struct pair *pair)
{
    struct pair *worst = row;

    for (size_t i = 1; i < CANDIDATES_PER_TARGET; i++) {
        if (compare_pairs(&row[i], worst) > 0)
            worst = &row[i];
    }
    if (compare_pairs(worst, pair) > 0) {
        size_t place = worst->place;

        *worst = *pair;
        worst->place = place;
    }
}

static int score_target(struct search *search, size_t target, struct pair *row)
{
    struct similarity signature = {0};
    int code = 0;

    if (is_regular(&search->targets[target]))
        code = measure_target(search, target, &signature);
    for (size_t i = 0; code == 0 && i < search->source_count; i++) {
        struct pair pair = {.target = target, .source = i};

        if (search->sources[i].used)
            continue;
        if (is_regular(&search->targets[target]))
            code = score_pair(search, i, &signature, SIMILARITY_RENAME, &pair.score);
        pair.same_name = has_same_name(&search->sources[i], &search->targets[target]);
        keep_if_better(row, &pair);
    }
    similarity_clear(&signature);
    return code;
}

static void take_best(struct search *search, struct pair *pairs, size_t count)
{
    qsort(pairs, count, sizeof *pairs, compare_places);
    for (size_t i = 0; i < count; i++) {
        const struct pair *pair = &pairs[i];

        if (pair->target == RENAMES_NONE || pair->score < SIMILARITY_RENAME)
            break;
        if (is_open_target(search, pair->target) && is_open_source(search, pair->source))
            take(search, pair->target, pair->source, pair->score);
    }
}

static int take_similar(struct search *search, size_t limit)
{
    size_t open_sources = 0, open_targets = 0, row = 0, count;
    struct pair *pairs;
    int code = 0;

    for (size_t i = 0; i < search->source_count; i++)
        open_sources += is_open_source(search, i);
    for (size_t i = 0; i < search->target_count; i++)
        open_targets += is_open_target(search, i);
    if (open_sources == 0 || open_targets == 0 || open_sources * open_targets > limit * limit)
        return 0;
    count = open_targets * CANDIDATES_PER_TARGET;
    pairs = calloc(count, sizeof *pairs);
    if (!pairs)
        return -1;
    for (size_t i = 0; i < count; i++)
        pairs[i] = (struct pair){.target = RENAMES_NONE, .place = i};
    for (size_t i = 0; code == 0 && i < search->target_count; i++) {
        if (is_open_target(search, i))
            code = score_target(search, i, &pairs[CANDIDATES_PER_TARGET * row++]);
    }
    if (code == 0)
        take_best(search, pairs, count);
    free(pairs);
    return code;
}

int renames_find(struct rename_candidate *sources, size_t source_count,
                 struct rename_candidate *targets, size_t target_count, size_t limit,
                 rename_reader_fn *reader, void *user)
{
    struct search search = {
        .sources = sources,
        .targets = targets,
        .source_count = source_count,
        .target_count = target_count,
        .reader = reader,
        .user = user,
    };
    int code = -1;

    for (size_t i = 0; i < target_count; i++)
        targets[i].source = RENAMES_NONE;
    if (source_count == 0 || target_count == 0)
        return 0;
    search.signatures = calloc(source_count, sizeof *search.signatures);
    search.measured = calloc(source_count, sizeof *search.measured);
    if (search.signatures && search.measured)
        code = take_identical(&search);
    if (code == 0)
        code = take_same_names(&search);
    if (code == 0)
        code = take_similar(&search, limit);
    for (size_t i = 0; search.signatures && i < source_count; i++)
        similarity_clear(&search.signatures[i]);
    free(search.signatures);
    free(search.measured);
    return code < 0 ? -1 : 0;
}
