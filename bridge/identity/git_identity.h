/*
 * Keeps the git identity and commit signing of the session's checkouts as the control plane wants
 * them: asks it for the signing configuration, and has a worker write it into .git/config together
 * with the author of the prompt (section 9, X-02..X-04). One refresh at a time; nothing here blocks
 * the loop or holds back the WebSocket.
 *
 * A control plane that answers 404 to the first question has no signing; then the author alone is
 * written, in every checkout of the workspace, and failures are logged, not told.
 */
#ifndef BRIDGE_IDENTITY_GIT_IDENTITY_H
#define BRIDGE_IDENTITY_GIT_IDENTITY_H

#include "common/log.h"
#include "net/net_context.h"

#include <cJSON.h>
#include <stdint.h>

struct git_identity;

/* Everything must outlive it. */
struct git_identity_options {
    uv_loop_t *loop;
    struct net_context *net;
    struct log *log;
    const char *control_plane;
    const char *session_id;
    const char *token;
    const char *manifest_path;
    const char *workspace;
    const char *bin_directory;  /* B-109, or NULL */
    const char *temp_directory; /* for what fits nowhere else (signer_path.h) */
    uint64_t fetch_limit_ms;
    uint64_t config_limit_ms; /* of one checkout */
    uint64_t kill_ms;
};

enum git_identity_step {
    GIT_IDENTITY_DONE,
    GIT_IDENTITY_FAILED,
    GIT_IDENTITY_STARTED, /* on_done follows */
};

/* `error` is NULL or the text with which the prompt fails (B-911); it lives during the call. */
typedef void git_identity_done_fn(void *user, const char *error);

/* NULL when out of memory. */
struct git_identity *git_identity_new(const struct git_identity_options *options);

/* The control plane can be reached and the checkouts are there: signing is set up, without an
 * author, unless it was (B-911). A failure is logged; the next prompt tries again. */
void git_identity_initialise(struct git_identity *identity);

/* At the start of a prompt. A question that got no answer (not a bad one: that counts) is asked
 * again, all within the limit. Never calls back from inside. FAILED fills `err`. */
enum git_identity_step git_identity_refresh(struct git_identity *identity, const cJSON *author,
                                            git_identity_done_fn *on_done, void *user,
                                            struct err *err);

/* The prompt is over: on_done is not called. A worker that has begun ends its work. */
void git_identity_cancel(struct git_identity *identity);

/* Frees itself once the loop has closed its timer; nothing is called any more. NULL is fine. */
void git_identity_close(struct git_identity *identity);

#endif
