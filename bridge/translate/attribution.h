/*
 * Whose message is this? Decides which assistant messages are this prompt's output (B-536, B-537),
 * by ids and parent ids, never by order and never by "the current one". Pure; owns its ids.
 */
#ifndef BRIDGE_TRANSLATE_ATTRIBUTION_H
#define BRIDGE_TRANSLATE_ATTRIBUTION_H

#include "bridge/translate/id_table.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* A prompt with more messages than this has its first ones forgotten: they ended long ago. */
#define ATTRIBUTION_MESSAGES_MAX 4096

struct attribution {
    struct id_table users;     /* user messages of this prompt, the generated id excluded */
    struct id_table allowed;   /* assistant messages whose parts are output */
    struct id_table summaries; /* this prompt's compaction summaries */
    char *own_user_id;         /* NULL before the prompt is started */
    uint64_t started_wall_ms;  /* T0 */
    bool compacted;
};

enum attribution_verdict {
    ATTRIBUTION_REJECT,
    ATTRIBUTION_ERROR_ONLY, /* a summary: its errors count, its text is OpenCode's own */
    ATTRIBUTION_OUTPUT,
};

void attribution_init(struct attribution *attribution);
void attribution_clear(struct attribution *attribution);

/* The prompt's own user message and T0. Returns -1 when out of memory. */
int attribution_start(struct attribution *attribution, const char *user_id, uint64_t wall_ms);

/* A user message was announced. True when it belongs to this prompt: it is ours, or was created
 * after the prompt started, or says nothing about its time (D-03: OpenCode rewrites older ones). */
bool attribution_see_user(struct attribution *attribution, const cJSON *info);

bool attribution_is_user(const struct attribution *attribution, const char *message_id);

/* B-537, with its side effects. `info.id` must be a usable id. */
enum attribution_verdict attribution_judge(struct attribution *attribution, const cJSON *info);

/* Parts of this message are output (B-546 allows messages of child sessions). */
void attribution_allow(struct attribution *attribution, const char *message_id);
bool attribution_is_allowed(const struct attribution *attribution, const char *message_id);

/* The parent session was compacted: later messages are told by their time as well (B-537.d). */
void attribution_set_compacted(struct attribution *attribution);

#endif
