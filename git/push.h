/*
 * `git push <url> <refspec>` from a checkout: one reference. Nothing in the checkout changes, its
 * remotes and remote-tracking branches included. Of git's own push this leaves out: the pre-push
 * hook (so git-lfs uploads nothing), push options, and submodules; see push_need.h.
 */
#ifndef GIT_PUSH_H
#define GIT_PUSH_H

#include "common/buf.h"
#include "common/err.h"
#include "git/access.h"
#include "git/repository.h"

#include <stdbool.h>

#define PUSH_TEXT_MAX (8 * 1024) /* D-52 */

struct push_outcome {
    bool up_to_date; /* the remote had it already */
    bool rejected;   /* the remote, or the rule against losing commits, refused the reference */
    char commit[REPOSITORY_SHA_SIZE]; /* what was pushed; "" for a deletion */
    struct buf text; /* of a failure: what git's stderr would say, without credentials */
};

/* `refspec` is "[+]source[:destination]". A destination without "refs/" is a branch, an absent one is
 * the source's own name. After -1 both `err` and `outcome->text` say why. push_outcome_free() is due
 * in any case. */
int push_reference(const struct git_access *access, const char *path, const char *refspec,
                   bool force, struct push_outcome *outcome, struct err *err);
void push_outcome_free(struct push_outcome *outcome);

#endif
