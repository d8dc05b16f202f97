/*
 * Captures the changes of all repositories of a session into a bundle: asks git/diff.h for each file
 * and decides what of it is told (B-1011, B-1016..B-1022, B-1027, B-1028). Only the diff worker calls
 * this. Time and randomness come as arguments.
 */
#ifndef BRIDGE_DIFF_DIFF_CAPTURE_H
#define BRIDGE_DIFF_DIFF_CAPTURE_H

#include "bridge/diff/diff_bundle.h"
#include "bridge/manifest.h"

/* B-1010. */
struct capture_limits {
    size_t max_files;         /* of all repositories together */
    size_t max_patch_bytes;   /* of one patch, decoded */
    size_t max_capture_bytes; /* of all patches together */
    size_t max_listing_bytes; /* of what git would print to list the changes */
    size_t max_bundle_bytes;
    uint32_t step_ms; /* for listing a repository, and for each file */
};

struct capture_input {
    const struct manifest *manifest; /* the bundle points into it */
    const char *trigger;             /* a message id, or NULL */
    uint64_t now_ms;                 /* wall clock */
    void (*fill_random)(void *bytes, size_t len);
    struct capture_limits limits;
};

/* Fills `bundle`, which then fits its limit and is the caller's to clear, also after a failure. A
 * repository that fails is told as unavailable; all of them, or one without baseline, fail the
 * capture. */
int capture_repositories(const struct capture_input *input, struct bundle *bundle, struct err *err);

#endif
