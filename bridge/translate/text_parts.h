/*
 * The text of each part so far, and when it may be sent: the first token of a part at once, then at
 * most one per interval, the newest (D-01, D-09). At most one part waits at any time, because a
 * waiting one is sent before anything else of the prompt is. Pure; owns the texts.
 *
 * Bounds: a text is cut at FIELD_TEXT_MAX and marked; over all parts TEXT_PARTS_BYTES_MAX, then
 * the oldest parts' texts are forgotten and the final fetch leaves those alone.
 */
#ifndef BRIDGE_TRANSLATE_TEXT_PARTS_H
#define BRIDGE_TRANSLATE_TEXT_PARTS_H

#include "bridge/translate/id_table.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define TEXT_PARTS_MAX 4096
#define TEXT_PARTS_BYTES_MAX ((size_t)8 * 1024 * 1024)

struct text_part {
    struct buf text; /* WTF-8 */
    uint64_t sent_ms;
    bool sent;      /* a token of it went out */
    bool waiting;   /* its text is newer than its last token */
    bool cut;       /* the text passed the limit: later deltas do not count */
    bool deaf;      /* deltas do not continue what is known, until a snapshot of the stream comes */
    bool forgotten; /* over the total: unknown what it was */
};

struct text_parts {
    struct id_table parts;     /* part id -> struct text_part */
    struct text_part *waiting; /* NULL: nothing is held back */
    struct text_part *newest;  /* the last one that got text */
    struct text_part *last_sent;
    size_t bytes;
};

void text_parts_init(struct text_parts *texts);
void text_parts_clear(struct text_parts *texts);

struct text_part *text_parts_find(const struct text_parts *texts, const char *part_id);

/* The part, made when it is new. NULL when out of memory. */
struct text_part *text_parts_open(struct text_parts *texts, const char *part_id);

/* Both return true when the text changed. A deaf part takes no delta. */
bool text_parts_append(struct text_parts *texts, struct text_part *part, const char *delta);
bool text_parts_replace(struct text_parts *texts, struct text_part *part, const char *text);

/* The stream had a gap: no delta continues what is known. */
void text_parts_deafen(struct text_parts *texts);

/* Each token has the whole text, so the same number of tokens a second would cost bytes with the square
 * of the text. A long text's are further apart: no part sends more than this, and the interval. */
#define TEXT_PARTS_BYTES_PER_MS 64
#define TEXT_PARTS_INTERVAL_MAX_MS 1000

/* The least time between two tokens of the part, `interval_ms` being that of a short one; 0 stays 0. */
uint64_t text_parts_interval(const struct text_part *part, uint64_t interval_ms);

/* When the waiting text may be sent; UINT64_MAX: nothing waits. */
uint64_t text_parts_due(const struct text_parts *texts, uint64_t interval_ms);

/* Its token is being sent now. */
void text_parts_mark_sent(struct text_parts *texts, struct text_part *part, uint64_t now);

#endif
