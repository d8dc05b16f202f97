/*
 * Reads the newest messages of a session, page by page backwards (GET /session/:id/message with
 * limit and before), until all of one prompt are there: what came before it stays where it is, and
 * so does a history of many megabytes (D-24).
 *
 * What no prompt needs is dropped from each message at once: reasoning, files, images that tools
 * returned. A page that is too long is read again message by message; of a message that alone is too
 * long its `info` is kept, without parts. Ends with one call of the callback, from the loop, and frees
 * itself; or by message_pages_cancel() without one.
 */
#ifndef BRIDGE_OPENCODE_MESSAGE_PAGES_H
#define BRIDGE_OPENCODE_MESSAGE_PAGES_H

#include "bridge/opencode/opencode_api.h"

#include <cJSON.h>
#include <stdint.h>

#define MESSAGE_PAGE_FIRST 4   /* messages; most prompts have an answer or two */
#define MESSAGE_PAGE_MOST 64   /* it doubles from page to page */
#define MESSAGE_PAGES_MAX 1000 /* messages in all */
#define MESSAGE_PAGE_MAX_BYTES ((size_t)4 * 1024 * 1024)
#define MESSAGE_MAX_BYTES ((size_t)24 * 1024 * 1024)
#define MESSAGE_PAGES_MAX_BYTES ((size_t)32 * 1024 * 1024) /* of what is kept, over all pages */

struct message_pages;

/* The prompt begins with this user message, or, when OpenCode gave that another id, after this
 * time. */
struct message_pages_since {
    const char *user_message_id; /* must outlive the reading */
    uint64_t wall_ms;
};

/* `messages`: an array, oldest first, the callee's. NULL: `status` is the answer's when it was not
 * 200, and `err` says what happened. */
typedef void message_pages_fn(void *user, cJSON *messages, int status, const struct err *err);

/* NULL and `err` when it cannot be started; then no callback follows. */
struct message_pages *message_pages_read(struct opencode_api *api, const char *session_id,
                                         const struct message_pages_since *since,
                                         message_pages_fn *on_done, void *user, struct err *err);

/* No callback follows. NULL is fine. */
void message_pages_cancel(struct message_pages *pages);

#endif
