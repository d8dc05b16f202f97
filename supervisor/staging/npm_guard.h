/*
 * What keeps OpenCode from running npm in a configuration directory when its first instance starts
 * (contract/opencode.md section 7): a lock file that names its plugin package beside a
 * `node_modules`. That one is a link to the image's tree when the image has one: one link in place
 * of a copy of 3,600 files (S-286). Else it is empty, and only for directories whose tools and
 * plugins do not import the package: an import that fails would end every prompt.
 *
 * What a supervisor before us put there (a copied tree with its manifest and lock file, or the older
 * contract's link) serves as well, and is made whole when it is not.
 *
 * It reads a user's files: in a checkout only for use in a worker.
 */
#ifndef SUPERVISOR_STAGING_NPM_GUARD_H
#define SUPERVISOR_STAGING_NPM_GUARD_H

#include "common/err.h"

enum npm_guard {
    NPM_GUARD_PUT,     /* the caller keeps npm_guard_staged_names out of git's sight */
    NPM_GUARD_PRESENT, /* it has its own modules or lock file */
    NPM_GUARD_FOREIGN, /* it has its own package.json: an install is wanted (S-285) */
    NPM_GUARD_NEEDED, /* its tools or plugins import the package, and we have none: npm is to run */
    NPM_GUARD_FAILED, /* `err` says why */
};

/* The files it puts, in a directory. */
#define NPM_GUARD_MODULES "node_modules"
#define NPM_GUARD_LOCK "package-lock.json"

/* `shared_deps` is S-283's directory; it may be absent. */
enum npm_guard npm_guard_put(const char *directory, const char *shared_deps, struct err *err);

#endif
