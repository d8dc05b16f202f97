/*
 * Who a prompt's commits are to be by, in the three shapes that control planes have sent (B-901,
 * B-950, B-951, X-02). Pure. A struct prompt_author owns its texts.
 */
#ifndef BRIDGE_IDENTITY_PROMPT_AUTHOR_H
#define BRIDGE_IDENTITY_PROMPT_AUTHOR_H

#include <cJSON.h>

/* Where no author is named (B-915, B-951). */
#define PROMPT_AUTHOR_BOT_NAME "OpenInspect"
#define PROMPT_AUTHOR_BOT_EMAIL "open-inspect@noreply.github.com"

enum prompt_author_kind {
    PROMPT_AUTHOR_ABSENT,  /* neither shape: the identity stays */
    PROMPT_AUTHOR_INVALID, /* fails the prompt */
    PROMPT_AUTHOR_AGENT,   /* current, "agent-only": no name */
    PROMPT_AUTHOR_USER,    /* current, "attributed-user" */
    PROMPT_AUTHOR_MIDDLE,  /* scmName and scmEmail, the bot's where empty */
    PROMPT_AUTHOR_OLDER,   /* githubName and githubEmail, both given */
};

struct prompt_author {
    enum prompt_author_kind kind;
    char *name; /* NULL unless the kind has one */
    char *email;
};

/* `author` is the command's member; NULL is fine. */
void prompt_author_read(const cJSON *author, struct prompt_author *out);
void prompt_author_clear(struct prompt_author *author);

#endif
