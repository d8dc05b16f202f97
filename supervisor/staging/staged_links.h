/*
 * Links from a directory that OpenCode (or PATH) looks into to files of the image. Each link is put
 * in one step, so that nobody sees a half-made state. A user's own files there are left alone.
 */
#ifndef SUPERVISOR_STAGING_STAGED_LINKS_H
#define SUPERVISOR_STAGING_STAGED_LINKS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

struct staged_links {
    const char *source;      /* the image's directory; absent: there is nothing to link */
    const char *destination; /* made when something is to be linked */
    /* Says under which name an entry of `source` is linked, by writing it into `as` (NAME_MAX + 1
     * bytes, which hold its own name); false: not at all. */
    bool (*choose)(void *user, char *as);
    void (*on_linked)(void *user, const char *as); /* may be NULL */
    void *user;
};

/* Links what is chosen. Links of an earlier boot that are not chosen any more go. A directory of that
 * name that is not ours stays, and wins. */
int staged_links_update(const struct staged_links *links, struct err *err);

/* Something lies under the name of everything that is chosen. */
bool staged_links_are_there(const struct staged_links *links);

/* Makes `path` a link to `target`, whatever was there but a directory. */
int staged_links_put(const char *target, const char *path, struct err *err);

#endif
