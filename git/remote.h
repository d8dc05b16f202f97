/*
 * One conversation with a remote: libgit2's callbacks over a struct git_access. Only git/'s .c files
 * include this; the value lives on the stack of the operation and is not copied while it runs.
 */
#ifndef GIT_REMOTE_H
#define GIT_REMOTE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/url.h"
#include "git/access.h"
#include "git/progress.h"

#include <git2.h>
#include <stdbool.h>

#define REMOTE_TEXT_MAX (8 * 1024)

struct remote {
    const struct git_access *access;
    git_repository *repository;
    git_remote *handle;
    struct url wanted;    /* of access->url */
    struct url effective; /* after url.*.insteadOf, for a push .pushInsteadOf */
    struct progress_throttle throttle;
    bool asked_credentials, gave_credentials;
    const char *username, *password; /* that were given */
    struct err no_credentials;       /* why there are none to give */
    struct buf text;                 /* what the other side said, without "remote: " */
};

/* Takes `handle` over and loads the CA certificates that its URL needs. remote_close() is due also
 * after a failure. */
int remote_open(struct remote *remote, const struct git_access *access, git_repository *repository,
                git_remote *handle, struct err *err);

/* Opens the connection: afterwards git_remote_ls() knows the remote's branches. Starts the limits. */
int remote_connect(struct remote *remote, git_direction direction, struct err *err);

void remote_close(struct remote *remote);

/* The callbacks for fetch and push options; `remote` is their payload. */
void remote_set_callbacks(struct remote *remote, git_remote_callbacks *callbacks);

/* libgit2's failure of this conversation in words. Returns -1. */
int remote_error(const struct remote *remote, int code, struct err *err);

/* Says how far things are, if it is time to. */
void remote_report(struct remote *remote, const struct git_progress *progress);

#endif
