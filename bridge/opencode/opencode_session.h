/*
 * The one OpenCode session that all prompts of this sandbox run in: its id is kept in a file (B-1101)
 * so that a new bridge goes on with the same conversation. The stored id is looked up once (B-1102,
 * D-29): forgotten when OpenCode does not know it, kept when OpenCode could not be asked.
 *
 * Callbacks come from the loop. Owned by whoever made it; the api must outlive it.
 */
#ifndef BRIDGE_OPENCODE_OPENCODE_SESSION_H
#define BRIDGE_OPENCODE_OPENCODE_SESSION_H

#include "bridge/opencode/opencode_api.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define OPENCODE_SESSION_FILE "opencode-session-id" /* in the directory for temporary files */

struct opencode_session;

struct opencode_session_options {
    uv_loop_t *loop;
    struct opencode_api *api;
    struct log *log;
    const char *path; /* copied */
    uint64_t lookup_limit_ms;
    void (*on_settled)(void *user); /* the stored id was looked up; called once */
    void *user;
};

/* `id` NULL: `err` says why there is none. */
typedef void opencode_session_fn(void *user, const char *id, const struct err *err);

/* Reads the file. Without one it is settled at once, and on_settled is not called. */
struct opencode_session *opencode_session_new(const struct opencode_session_options *options);

/* OpenCode is there: look the stored id up. More calls are harmless. */
void opencode_session_check(struct opencode_session *session);

/* The id may be told to others: it was looked up, or there is none. */
bool opencode_session_is_settled(const struct opencode_session *session);

/* The id, or NULL. The string lives until the id changes. */
const char *opencode_session_id(const struct opencode_session *session);

/* Makes a session when there is none. Only while there is none; one call at a time. */
void opencode_session_create(struct opencode_session *session, opencode_session_fn *on_created,
                             void *user);

/* Gives up creating: its callback will not come. */
void opencode_session_cancel_create(struct opencode_session *session);

/* OpenCode does not know it any more. */
void opencode_session_forget(struct opencode_session *session);

/* Frees itself once the loop has closed its timer. */
void opencode_session_close(struct opencode_session *session);

#endif
