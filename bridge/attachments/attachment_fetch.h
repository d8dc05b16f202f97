/*
 * Downloads a prompt's attachments from the control plane, two at a time, into spools (B-710..B-712).
 * What cannot be fetched in time, or is no image, is left out with a warning to the user; nothing here
 * fails a prompt. Everything in the options must outlive the fetch; the list's texts too.
 */
#ifndef BRIDGE_ATTACHMENTS_ATTACHMENT_FETCH_H
#define BRIDGE_ATTACHMENTS_ATTACHMENT_FETCH_H

#include "bridge/attachments/attachment_list.h"
#include "bridge/attachments/prompt_upload.h"
#include "common/log.h"
#include "net/net_context.h"

#include <stdint.h>

#define ATTACHMENT_MAX_BYTES ((size_t)10 * 1024 * 1024)

struct attachment_fetch;

struct attachment_fetch_options {
    struct net_context *net;
    struct log *log;
    const char *control_plane;
    const char *session_id;
    const char *token;
    const char *directory; /* for the spools */
    uint64_t limit_ms;     /* so long a download may be silent (B-710) */
    void *event_user;
    void (*on_event)(void *event_user, cJSON *event); /* warnings; the callee deletes them */
};

/* Every attachment is settled. Called once, from the loop, never inside attachment_fetch_start(). */
typedef void attachment_fetch_done_fn(void *user);

/* NULL when out of memory. When all are settled at once, on_done is not called: ask. */
struct attachment_fetch *attachment_fetch_start(const struct attachment_fetch_options *options,
                                                const struct attachment_list *list,
                                                attachment_fetch_done_fn *on_done, void *user);

bool attachment_fetch_is_done(const struct attachment_fetch *fetch);

/* Moves what was fetched into the upload, in the command's order. */
void attachment_fetch_move(struct attachment_fetch *fetch, struct prompt_upload *upload);

/* Drops what is under way; on_done is not called. NULL is fine. */
void attachment_fetch_free(struct attachment_fetch *fetch);

#endif
