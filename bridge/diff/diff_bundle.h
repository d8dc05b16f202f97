/*
 * A diff bundle: what the control plane is told of a session's changes, as JSON in ASCII without
 * blanks (B-1025..B-1027), and how it is made to fit its limit (B-1029). Pure. A bundle owns all that
 * it was given with TAKEN in the comment; paths, texts and patches are decoded (diff_text.h).
 */
#ifndef BRIDGE_DIFF_DIFF_BUNDLE_H
#define BRIDGE_DIFF_DIFF_BUNDLE_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUNDLE_SHA_SIZE 65
#define BUNDLE_ID_SIZE 37 /* a UUID */
#define BUNDLE_ID_RANDOM_BYTES 16
#define BUNDLE_NO_COUNT (-1)
#define BUNDLE_ERROR_MAX 2000 /* characters (B-1027) */

enum bundle_status {
    BUNDLE_ADDED,
    BUNDLE_MODIFIED,
    BUNDLE_DELETED,
    BUNDLE_RENAMED,
    BUNDLE_TYPE_CHANGED,
    BUNDLE_UNMERGED,
    BUNDLE_SUBMODULE,
    BUNDLE_STATUS_COUNT
};

enum bundle_render_state {
    BUNDLE_RENDERABLE, /* with a patch */
    BUNDLE_BINARY,
    BUNDLE_TOO_LARGE,
    BUNDLE_METADATA_ONLY,
    BUNDLE_RENDER_STATE_COUNT
};

struct bundle_file {
    char id[BUNDLE_ID_SIZE];
    char *path;     /* TAKEN */
    char *old_path; /* TAKEN; NULL: none */
    enum bundle_status status;
    enum bundle_render_state render_state;
    long additions, deletions; /* or BUNDLE_NO_COUNT */
    char *patch;               /* TAKEN; NULL unless renderable */
    size_t patch_len;
    unsigned old_mode, new_mode;                                         /* 0: left out */
    char old_submodule[BUNDLE_SHA_SIZE], new_submodule[BUNDLE_SHA_SIZE]; /* "": left out */
    size_t printed; /* its length in the bundle; the bundle's own */
};

struct bundle_repository {
    unsigned position;
    const char *owner, *name, *base_sha; /* must outlive the bundle */
    char *error;                         /* TAKEN; NULL: ready */
    char head_sha[BUNDLE_SHA_SIZE];
    size_t omitted;
    struct bundle_file *files; /* TAKEN */
    size_t count, cap;
};

struct bundle {
    const char *trigger; /* a message id, or NULL; must outlive the bundle */
    uint64_t captured_at_ms;
    struct bundle_repository *repositories; /* TAKEN */
    size_t count;
};

/* A UUID of version 4. */
void bundle_set_id(struct bundle_file *file, const unsigned char random[BUNDLE_ID_RANDOM_BYTES]);

/* Takes what `file` has, also when it fails for lack of memory. */
int bundle_add_file(struct bundle_repository *repository, struct bundle_file *file);

/* Makes it print at most `max` bytes: takes patches away, the largest first, then files, from the
 * end. ERR_LIMIT when that is not enough. */
int bundle_fit(struct bundle *bundle, size_t max, struct err *err);

void bundle_print(const struct bundle *bundle, struct buf *out);

void bundle_file_clear(struct bundle_file *file);
void bundle_clear(struct bundle *bundle);

#endif
