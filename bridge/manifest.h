/*
 * The session's repositories as the supervisor wrote them down (B-1110..B-1113), read leniently:
 * whatever is wrong with the file gives an empty list; or strictly. Read anew each time it is needed. A struct
 * manifest owns its strings.
 */
#ifndef BRIDGE_MANIFEST_H
#define BRIDGE_MANIFEST_H

#include "common/err.h"

#include <cJSON.h>
#include <stddef.h>

#define MANIFEST_PATH "/tmp/oi-repo-manifest.json"

struct manifest_entry {
    unsigned position; /* in the whole file, entries that were skipped included (B-403) */
    char *owner;
    char *name;
    char *branch;
    char *path;
    char *base_sha; /* NULL: no baseline */
};

struct manifest {
    struct manifest_entry *entries;
    size_t count;
};

/* Pure: the entries of a parsed file; NULL is fine. */
void manifest_parse(const cJSON *file, struct manifest *manifest);

void manifest_read(const char *path, struct manifest *manifest);

/* As manifest_parse, but anything wrong is an error that says what (B-1113). Pure. */
int manifest_parse_strict(const cJSON *file, struct manifest *manifest, struct err *err);
int manifest_read_strict(const char *path, struct manifest *manifest, struct err *err);

void manifest_clear(struct manifest *manifest);

/* Owner and name compared without case (B-807); NULL when it is no repository of the session. */
const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *owner,
                                           const char *name);

static inline void cleanup_manifest(struct manifest *manifest)
{
    manifest_clear(manifest);
}

#define AUTO_MANIFEST __attribute__((cleanup(cleanup_manifest)))

#endif
