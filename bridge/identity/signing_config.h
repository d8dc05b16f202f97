/*
 * The control plane's answer to GET /commit-signing, and what it and the author make of a checkout's
 * configuration (B-912, B-915, B-916). Pure.
 */
#ifndef BRIDGE_IDENTITY_SIGNING_CONFIG_H
#define BRIDGE_IDENTITY_SIGNING_CONFIG_H

#include "bridge/identity/prompt_author.h"
#include "common/err.h"

#include <stdbool.h>

/* Texts point into the answer. */
struct signing_config {
    bool enabled;
    const char *committer_name; /* these three only when enabled */
    const char *committer_email;
    const char *public_key;
};

/* -1 and "Invalid commit signing configuration" for anything but the two valid forms. */
int signing_config_read(const cJSON *answer, struct signing_config *config, struct err *err);

/*
 * The changes for a git-config worker, as its header says. `author`'s name and email may be NULL.
 * `signer` is the path of oi-git-sign.
 */
cJSON *signing_config_changes(const struct signing_config *config,
                              const struct prompt_author *author, const char *signer);

/* Without signing: user.name and user.email alone (B-950, B-951). */
cJSON *signing_config_identity_changes(const struct prompt_author *author);

#endif
