/*
 * What a prompt needs before OpenCode gets it: the git identity of its author, and its attachments
 * (B-313, steps 2, 4 and 5), both at the same time; warnings of attachments are sent once the identity
 * is settled. Calls back once, from the loop, never inside prompt_preparation_start().
 */
#ifndef BRIDGE_PROMPT_PROMPT_PREPARATION_H
#define BRIDGE_PROMPT_PROMPT_PREPARATION_H

#include "bridge/attachments/attachment_fetch.h"
#include "bridge/control_plane/command.h"
#include "bridge/identity/git_identity.h"

struct prompt_preparation;

/* Everything must outlive the preparation. */
struct prompt_preparation_options {
    struct git_identity *identity;
    struct attachment_fetch_options attachments;
};

/* `error` is NULL, or the text with which the prompt fails. */
typedef void prompt_preparation_done_fn(void *user, const char *error);

/* The prompt's texts must outlive it. NULL and `err` when the prompt fails at once. When all is done
 * at once, on_done is not called: ask. */
struct prompt_preparation *
prompt_preparation_start(const struct prompt_preparation_options *options,
                         const struct prompt_command *prompt, prompt_preparation_done_fn *on_done,
                         void *user, struct err *err);

bool prompt_preparation_is_done(const struct prompt_preparation *preparation);

/* Once, when it is done: the attachments, for the caller to free. NULL when out of memory. */
struct prompt_upload *prompt_preparation_take_upload(struct prompt_preparation *preparation);

/* Drops what is under way. NULL is fine. */
void prompt_preparation_free(struct prompt_preparation *preparation);

#endif
