#include "bridge/translate/text_parts.h"

#include "bridge/translate/fields.h"
#include "common/json.h"
#include "common/wtf8.h"

#include <stdlib.h>
#include <string.h>

/* What json_join() may add to a text at the limit: the rest of a cut character, and the mark. */
#define CUT_ROOM (sizeof(FIELD_CUT_MARK) + 8)

static void free_part(void *value)
{
    struct text_part *part = value;

    buf_free(&part->text);
    free(part);
}

void text_parts_init(struct text_parts *texts)
{
    *texts = (struct text_parts){0};
    id_table_init(&texts->parts, TEXT_PARTS_MAX, free_part);
}

void text_parts_clear(struct text_parts *texts)
{
    id_table_clear(&texts->parts);
    texts->waiting = texts->newest = texts->last_sent = NULL;
    texts->bytes = 0;
}

struct text_part *text_parts_find(const struct text_parts *texts, const char *part_id)
{
    return id_table_get(&texts->parts, part_id);
}

static void forget_text(struct text_parts *texts, struct text_part *part)
{
    texts->bytes -= part->text.len;
    buf_free(&part->text);
    buf_init(&part->text, FIELD_TEXT_MAX + CUT_ROOM);
    part->forgotten = true;
}

/* The table would drop its oldest part by itself, but pointers to it may be about. */
static void make_room(struct text_parts *texts)
{
    struct id_entry *oldest = texts->parts.oldest;
    struct text_part *part;

    if (texts->parts.count < TEXT_PARTS_MAX || !oldest)
        return;
    part = oldest->value;
    forget_text(texts, part);
    if (texts->waiting == part)
        texts->waiting = NULL;
    if (texts->newest == part)
        texts->newest = NULL;
    if (texts->last_sent == part)
        texts->last_sent = NULL;
    id_table_remove(&texts->parts, oldest->key);
}

struct text_part *text_parts_open(struct text_parts *texts, const char *part_id)
{
    struct text_part *part = text_parts_find(texts, part_id);

    if (part)
        return part;
    make_room(texts);
    part = calloc(1, sizeof(*part));
    if (!part)
        return NULL;
    buf_init(&part->text, FIELD_TEXT_MAX + CUT_ROOM);
    return id_table_put(&texts->parts, part_id, part) ? part : NULL;
}

static void forget_oldest_texts(struct text_parts *texts, const struct text_part *keep)
{
    for (struct id_entry *entry = texts->parts.oldest; entry; entry = entry->newer) {
        struct text_part *part = entry->value;

        if (texts->bytes <= TEXT_PARTS_BYTES_MAX)
            return;
        if (part != keep && part != texts->waiting && part != texts->newest)
            forget_text(texts, part);
    }
}

static void cut(struct text_part *part)
{
    if (part->text.len <= FIELD_TEXT_MAX)
        return;
    part->text.len = wtf8_cut(part->text.data, part->text.len, FIELD_TEXT_MAX);
    part->text.data[part->text.len] = '\0';
    buf_puts(&part->text, FIELD_CUT_MARK);
    part->cut = true;
}

/* Appends at most what passes the limit by a little; cut() then finds the exact place. */
static void append_bounded(struct text_part *part, const char *text)
{
    size_t room = FIELD_TEXT_MAX + 1 - part->text.len;
    size_t len = strlen(text);

    json_join(&part->text, text, len <= room ? len : wtf8_cut(text, len, room + 4));
    cut(part);
}

static void changed(struct text_parts *texts, struct text_part *part, size_t old_len)
{
    texts->bytes += part->text.len - old_len;
    texts->newest = part;
    part->forgotten = false;
    forget_oldest_texts(texts, part);
}

bool text_parts_append(struct text_parts *texts, struct text_part *part, const char *delta)
{
    size_t old_len = part->text.len;

    if (part->cut || part->deaf || delta[0] == '\0')
        return false;
    append_bounded(part, delta);
    changed(texts, part, old_len);
    return true;
}

bool text_parts_replace(struct text_parts *texts, struct text_part *part, const char *text)
{
    size_t old_len = part->text.len;
    AUTO_BUF struct buf old = part->text;

    part->text = BUF_INIT(FIELD_TEXT_MAX + CUT_ROOM);
    part->cut = false;
    append_bounded(part, text);
    if (!part->forgotten && old.len == part->text.len &&
        strcmp(buf_text(&old), buf_text(&part->text)) == 0)
        return false;
    changed(texts, part, old_len);
    return true;
}

void text_parts_deafen(struct text_parts *texts)
{
    for (struct id_entry *entry = texts->parts.oldest; entry; entry = entry->newer)
        ((struct text_part *)entry->value)->deaf = true;
}

uint64_t text_parts_interval(const struct text_part *part, uint64_t interval_ms)
{
    uint64_t wanted = interval_ms + part->text.len / TEXT_PARTS_BYTES_PER_MS;

    if (interval_ms == 0 || interval_ms > TEXT_PARTS_INTERVAL_MAX_MS)
        return interval_ms;
    return wanted < TEXT_PARTS_INTERVAL_MAX_MS ? wanted : TEXT_PARTS_INTERVAL_MAX_MS;
}

uint64_t text_parts_due(const struct text_parts *texts, uint64_t interval_ms)
{
    return texts->waiting
               ? texts->waiting->sent_ms + text_parts_interval(texts->waiting, interval_ms)
               : UINT64_MAX;
}

void text_parts_mark_sent(struct text_parts *texts, struct text_part *part, uint64_t now)
{
    part->sent = true;
    part->sent_ms = now;
    part->waiting = false;
    texts->last_sent = part;
    if (texts->waiting == part)
        texts->waiting = NULL;
}
