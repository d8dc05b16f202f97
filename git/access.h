/*
 * How to reach one remote: URL, credentials, limits, and who wants to know of progress. A plain value
 * that the caller fills; the strings stay the caller's and must outlive the call. Credentials are
 * only ever handed to libgit2's credentials callback, in memory (S-186, D-26).
 */
#ifndef GIT_ACCESS_H
#define GIT_ACCESS_H

#include "common/err.h"

#include <stdint.h>

enum git_phase {
    GIT_PHASE_CONNECTING,
    GIT_PHASE_RECEIVING, /* objects of a pack, with bytes */
    GIT_PHASE_RESOLVING, /* deltas */
    GIT_PHASE_CHECKOUT,  /* files */
    GIT_PHASE_PACKING,   /* objects, before a push */
    GIT_PHASE_SENDING,   /* objects, with bytes */
    GIT_PHASE_COUNT
};

struct git_progress {
    enum git_phase phase;
    uint64_t done;    /* objects, deltas or files */
    uint64_t total;   /* 0 while unknown */
    uint64_t indexed; /* of GIT_PHASE_RECEIVING */
    uint64_t bytes;
};

/* "connecting", "receiving", ...: the words of the worker's progress lines. */
const char *git_phase_name(enum git_phase phase);

typedef void git_progress_fn(void *user, const struct git_progress *progress);

/* Milliseconds; 0 means none. They bound the network part of one operation. */
struct git_limits {
    uint32_t connect_ms; /* until a TCP connection stands */
    uint32_t stall_ms;   /* the peer sent or took nothing for so long */
    uint32_t total_ms;   /* from the first connection attempt of the operation */
};

/* Asked once, when the remote wants credentials and none were given. The strings stay its own and must
 * live until the operation ends. -1: the operation fails with this error. */
typedef int git_credentials_fn(void *user, const char **username, const char **password,
                               struct err *err);

struct git_access {
    const char *url;                     /* without credentials */
    const char *repository;              /* "acme/app" for error texts; NULL: the URL is shown */
    const char *username;                /* NULL: GIT_DEFAULT_USERNAME */
    const char *password;                /* NULL: `get_credentials` is asked */
    git_credentials_fn *get_credentials; /* NULL: no credentials */
    void *credentials_user;
    struct git_limits limits;
    git_progress_fn *on_progress; /* may be NULL */
    void *user;
};

/* What GitHub and GitLab want beside a token (S-185, S-232). */
#define GIT_DEFAULT_USERNAME "x-access-token"

#endif
