#include "bridge/control_plane/outbox.h"

#include "bridge/control_plane/event_envelope.h"
#include "bridge/control_plane/event_list.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* The buffer that events are printed into shrinks to nothing after a bigger one. */
#define SCRATCH_KEEP_BYTES ((size_t)16 * 1024)

#define NO_MEMORY "out of memory"

struct outbox {
    char *sandbox_id;
    size_t max_events;
    size_t max_bytes;
    struct outbox_observer observer;
    struct event_list waiting;
    struct event_list sent; /* critical, not acknowledged; all older than those waiting */
    bool expects_acks;
    uint64_t dropped;
    struct buf scratch;
    struct queued_event *token; /* the newest waiting one that may still be replaced, or NULL */
    char *token_message_id;
    char *token_content;
    struct queued_event *heartbeat; /* the one that waits, or NULL */
};

struct outbox *outbox_new(const struct outbox_options *options)
{
    struct outbox *outbox = calloc(1, sizeof *outbox);

    if (!outbox)
        return NULL;
    outbox->sandbox_id = strdup(options->sandbox_id);
    if (!outbox->sandbox_id) {
        free(outbox);
        return NULL;
    }
    outbox->max_events = options->max_events;
    outbox->max_bytes = options->max_bytes;
    outbox->observer = options->observer;
    buf_init(&outbox->scratch, EVENT_MAX_BYTES);
    return outbox;
}

static void forget_token(struct outbox *outbox)
{
    free(outbox->token_message_id);
    free(outbox->token_content);
    outbox->token = NULL;
    outbox->token_message_id = NULL;
    outbox->token_content = NULL;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    forget_token(outbox);
    event_list_clear(&outbox->waiting);
    event_list_clear(&outbox->sent);
    buf_free(&outbox->scratch);
    free(outbox->sandbox_id);
    free(outbox);
}

static void tell_gone(struct outbox *outbox, const struct queued_event *entry)
{
    if (entry->ack_id && outbox->observer.on_gone)
        outbox->observer.on_gone(outbox->observer.user, entry->ack_id);
}

static void take_out(struct outbox *outbox, struct event_list *list, struct queued_event *entry)
{
    if (entry == outbox->token)
        forget_token(outbox);
    if (entry == outbox->heartbeat)
        outbox->heartbeat = NULL;
    event_list_remove(list, entry);
}

/* `what`: an ackId, or the type of an event that never got that far; NULL: not critical. */
static void tell_dropped(struct outbox *outbox, const char *what, const char *reason)
{
    outbox->dropped++;
    if (outbox->observer.on_dropped)
        outbox->observer.on_dropped(outbox->observer.user, what, reason);
}

static void drop(struct outbox *outbox, struct event_list *list, struct queued_event *entry,
                 const char *reason)
{
    tell_dropped(outbox, entry->ack_id, reason);
    tell_gone(outbox, entry);
    take_out(outbox, list, entry);
    queued_event_free(entry);
}

/* Makes room for `entry` (B-445). False: all that waits counts more; it is dropped and freed. */
static bool make_room(struct outbox *outbox, struct queued_event *entry)
{
    static const char reason[] = "the queue is full: the control plane is away or too slow";
    struct event_list *waiting = &outbox->waiting;

    while (waiting->count > 0 && (waiting->count >= outbox->max_events ||
                                  waiting->bytes + entry->len > outbox->max_bytes)) {
        struct queued_event *least = event_list_least(waiting);

        if (least->rank > entry->rank) {
            tell_dropped(outbox, NULL, reason);
            queued_event_free(entry);
            return false;
        }
        drop(outbox, waiting, least, reason);
    }
    return true;
}

/* The token only extends the one that waits already: it may take its place. */
static bool extends_waiting_token(const struct outbox *outbox, const cJSON *event)
{
    const char *message_id = json_get_string(event, "messageId");
    const char *content = json_get_string(event, "content");

    return outbox->token && message_id && content &&
           strcmp(message_id, outbox->token_message_id) == 0 &&
           strncmp(content, outbox->token_content, strlen(outbox->token_content)) == 0;
}

/* Puts `entry` where the waiting token stands and frees that one. */
static void replace_token(struct outbox *outbox, struct queued_event *entry)
{
    struct event_list *waiting = &outbox->waiting;
    struct queued_event *old = outbox->token;

    entry->older = old->older;
    entry->newer = old->newer;
    *(old->older ? &old->older->newer : &waiting->oldest) = entry;
    *(old->newer ? &old->newer->older : &waiting->newest) = entry;
    waiting->bytes += entry->len;
    waiting->bytes -= old->len;
    queued_event_free(old);
}

static void remember_token(struct outbox *outbox, struct queued_event *entry,
                           const char *message_id, const char *content)
{
    forget_token(outbox);
    outbox->token_message_id = message_id ? strdup(message_id) : NULL;
    outbox->token_content = content ? strdup(content) : NULL;
    if (outbox->token_message_id && outbox->token_content)
        outbox->token = entry;
    else
        forget_token(outbox);
}

static void push_token(struct outbox *outbox, const cJSON *event, struct queued_event *entry)
{
    const char *message_id = json_get_string(event, "messageId");

    if (extends_waiting_token(outbox, event)) {
        replace_token(outbox, entry);
    } else {
        /* The control plane keeps the newest of a message alone, whatever its part (B-421). */
        if (outbox->token && message_id && strcmp(message_id, outbox->token_message_id) == 0)
            outbox->token->rank = QUEUED_BULK;
        if (!make_room(outbox, entry))
            return;
        event_list_append(&outbox->waiting, entry);
    }
    remember_token(outbox, entry, message_id, json_get_string(event, "content"));
}

/* Ahead of all that waits, and in place of the one that waits: that the sandbox lives must not stand
 * in a queue that may take a slow control plane longer than its patience (B-214). */
static void push_heartbeat(struct outbox *outbox, struct queued_event *entry)
{
    struct event_list front = {0};

    if (outbox->heartbeat) {
        struct queued_event *old = outbox->heartbeat;

        take_out(outbox, &outbox->waiting, old);
        queued_event_free(old);
    }
    /* Nothing critical goes for it, but once it waits it is not the one that goes for something else. */
    entry->rank = QUEUED_ONCE;
    if (!make_room(outbox, entry))
        return;
    entry->rank = QUEUED_VITAL;
    event_list_append(&front, entry);
    event_list_prepend_all(&outbox->waiting, &front);
    outbox->heartbeat = entry;
}

static enum queued_rank rank_of(const char *type, const char *ack_id)
{
    if (ack_id)
        return QUEUED_VITAL;
    return strcmp(type, "tool_call") == 0 || strcmp(type, "step_start") == 0 ? QUEUED_BULK
                                                                             : QUEUED_ONCE;
}

/* After these a token of the same message begins a new segment at the control plane. */
static bool ends_segment(const char *type)
{
    return strcmp(type, "context_compacted") == 0 || strcmp(type, "execution_complete") == 0;
}

static void push_printed(struct outbox *outbox, const cJSON *event, const char *type)
{
    const char *ack_id = event_is_critical(event) ? json_get_string(event, "ackId") : NULL;
    struct queued_event *entry =
        queued_event_new(ack_id, rank_of(type, ack_id), outbox->scratch.data, outbox->scratch.len);

    if (!entry) {
        tell_dropped(outbox, ack_id ? ack_id : type, NO_MEMORY);
        return;
    }
    if (strcmp(type, "heartbeat") == 0) {
        push_heartbeat(outbox, entry);
        return;
    }
    if (strcmp(type, "token") == 0) {
        push_token(outbox, event, entry);
        return;
    }
    if (ends_segment(type))
        forget_token(outbox);
    if (!make_room(outbox, entry))
        return;
    event_list_append(&outbox->waiting, entry);
    if (ack_id && outbox->observer.on_added)
        outbox->observer.on_added(outbox->observer.user, ack_id, entry->text, entry->len);
}

void outbox_push(struct outbox *outbox, cJSON *event, uint64_t wall_ms, uint64_t random)
{
    const char *type = json_get_string(event, "type");

    event_stamp(event, outbox->sandbox_id, wall_ms, random);
    buf_reset(&outbox->scratch);
    /* Printed before it is queued: what cannot be encoded must not block the others (D-40). */
    if (type && event_print(event, &outbox->scratch) == 0)
        push_printed(outbox, event, type);
    else
        tell_dropped(outbox, type, "it cannot be encoded, or is too big and nothing can be cut");
    if (outbox->scratch.cap > SCRATCH_KEEP_BYTES)
        buf_free(&outbox->scratch);
    cJSON_Delete(event);
}

void outbox_restore(struct outbox *outbox, const char *ack_id, const char *text, size_t len,
                    bool was_sent)
{
    struct queued_event *entry = queued_event_new(ack_id, QUEUED_VITAL, text, len);

    if (!entry) {
        tell_dropped(outbox, ack_id, NO_MEMORY);
        return;
    }
    entry->sends = was_sent ? 1 : 0;
    /* What may have arrived is sent again only if the control plane acknowledges. */
    if (was_sent && !outbox->expects_acks) {
        event_list_append(&outbox->sent, entry);
        return;
    }
    if (make_room(outbox, entry))
        event_list_append(&outbox->waiting, entry);
}

bool outbox_next(struct outbox *outbox, uint64_t now_ms, struct buf *out)
{
    struct queued_event *entry = outbox->waiting.oldest;

    if (!entry)
        return false;
    take_out(outbox, &outbox->waiting, entry);
    buf_append(out, entry->text, entry->len);
    if (!entry->ack_id) {
        queued_event_free(entry);
        return true;
    }
    if (entry->sends++ == 0 || entry->first_sent_ms == 0)
        entry->first_sent_ms = now_ms;
    if (outbox->observer.on_sent)
        outbox->observer.on_sent(outbox->observer.user, entry->ack_id);
    event_list_append(&outbox->sent, entry);
    if (outbox->sent.count > OUTBOX_UNACKNOWLEDGED_MAX)
        drop(outbox, &outbox->sent, outbox->sent.oldest,
             "too many wait for their acks; the control plane sends none");
    return true;
}

size_t outbox_connection_lost(struct outbox *outbox, uint64_t now_ms)
{
    struct queued_event *next;
    size_t again;

    if (!outbox->expects_acks)
        return 0;
    for (struct queued_event *entry = outbox->sent.oldest; entry; entry = next) {
        next = entry->newer;
        if (entry->sends >= OUTBOX_SENDS_MAX &&
            now_ms - entry->first_sent_ms > OUTBOX_RESEND_LIMIT_MS)
            drop(outbox, &outbox->sent, entry, "sent again for an hour, and never acknowledged");
    }
    again = outbox->sent.count;
    event_list_prepend_all(&outbox->waiting, &outbox->sent);
    return again;
}

size_t outbox_drop_refused(struct outbox *outbox)
{
    struct queued_event *entry = outbox->sent.newest;
    size_t len;

    while (entry && entry->len < OUTBOX_REFUSABLE_MIN_BYTES)
        entry = entry->older;
    if (!entry)
        return 0;
    len = entry->len;
    drop(outbox, &outbox->sent, entry, "the control plane refused it as too big");
    return len;
}

/* Ids are unique but for an event that was pushed twice: all of them are meant. */
static bool acknowledge_in(struct outbox *outbox, struct event_list *list, const char *ack_id)
{
    struct queued_event *next;
    bool known = false;

    for (struct queued_event *entry = list->oldest; entry; entry = next) {
        next = entry->newer;
        if (!entry->ack_id || entry->sends == 0 || strcmp(entry->ack_id, ack_id) != 0)
            continue;
        if (!known)
            tell_gone(outbox, entry);
        known = true;
        take_out(outbox, list, entry);
        queued_event_free(entry);
    }
    return known;
}

bool outbox_acknowledge(struct outbox *outbox, const char *ack_id)
{
    bool in_sent, in_waiting;

    outbox->expects_acks = true;
    in_sent = acknowledge_in(outbox, &outbox->sent, ack_id);
    in_waiting = acknowledge_in(outbox, &outbox->waiting, ack_id);
    return in_sent || in_waiting;
}

void outbox_expect_acks(struct outbox *outbox)
{
    outbox->expects_acks = true;
}

bool outbox_expects_acks(const struct outbox *outbox)
{
    return outbox->expects_acks;
}

struct outbox_counts outbox_counts(const struct outbox *outbox)
{
    return (struct outbox_counts){
        .waiting_events = outbox->waiting.count,
        .waiting_bytes = outbox->waiting.bytes,
        .unacknowledged = outbox->sent.count,
        .dropped = outbox->dropped,
    };
}
