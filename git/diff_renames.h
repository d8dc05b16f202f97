/*
 * Which deleted file is which added one: git's decisions, in git's order - same content first; then,
 * of what is left, files whose name without folders is the same and unique on both sides; then the
 * most similar pairs, the best first. No copies. Pure but for the reader, which it asks for the
 * contents of files whose similarity must be known; each is asked for at most twice.
 *
 * Memory: the signatures of all sources while it runs, at most RENAMES_SIGNATURES_MAX bytes of them.
 * Past that, and where more than `limit` squared pairs were to be compared, similar files are not
 * looked for, as in git past diff.renameLimit.
 */
#ifndef GIT_DIFF_RENAMES_H
#define GIT_DIFF_RENAMES_H

#include "git/diff_similarity.h"

#include <stdbool.h>
#include <stddef.h>

#define RENAMES_LIMIT 1000 /* git's default of diff.renameLimit */
#define RENAMES_NONE ((size_t)-1)
#define RENAMES_SIGNATURES_MAX ((size_t)64 * 1024 * 1024)
#define RENAMES_ID_SIZE 20

struct rename_candidate {
    const char *path;
    unsigned mode;
    unsigned char id[RENAMES_ID_SIZE]; /* of the content */
    size_t key;                        /* the caller's, for the reader */

    size_t source; /* of a target, out: index of what it was, or RENAMES_NONE */
    unsigned score;
    bool used; /* of a source, out */
};

/* Fills `out`, which is empty. Returns -1 to stop everything. */
typedef int rename_reader_fn(void *user, size_t key, struct similarity *out);

/* Both lists in git's order. `reader` may find contents too large: it then leaves `out` without
 * pieces, and the file is like no other. Returns -1 when the reader did or memory is out. */
int renames_find(struct rename_candidate *sources, size_t source_count,
                 struct rename_candidate *targets, size_t target_count, size_t limit,
                 rename_reader_fn *reader, void *user);

#endif
