/*
 * What OpenCode stored is compared with what was sent, and only what is missing or different goes
 * out: at the end of a turn (the final fetch, bridge.md 5.9, D-10), and in the middle of one after
 * the stream had a gap or another bridge began it.
 */
#include "bridge/translate/error_text.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

static const char abandoned_text[] =
    "OpenCode stopped in the middle of this prompt; what it had written is kept.";

struct repair {
    struct translator *t;
    bool is_resync; /* the turn may go on: everything of it counts as if it had been heard */
    bool omits_steps;
    struct text_part *last;
    unsigned compactions;
    bool unfinished; /* the newest answer has no end */
};

/* A turn that we broke off, or that goes on, may be stored with less than was streamed: OpenCode
 * stores a text when it is finished. That is no correction. */
static bool is_stale(const struct translator *t, const struct text_part *known, const char *stored)
{
    size_t len = strlen(stored);

    return !t->finished_by_idle && len < known->text.len &&
           memcmp(stored, buf_text(&known->text), len) == 0;
}

/* The text part, made when it is new. Deltas of a part whose beginning was not heard would count as
 * its beginning; those of a finished one are old. */
static struct text_part *open_text(struct repair *repair, const cJSON *part, const char *id)
{
    struct text_parts *texts = &repair->t->texts;
    struct text_part *known = text_parts_find(texts, id);
    bool is_new = !known;

    if (is_new)
        known = text_parts_open(texts, id);
    if (known && repair->is_resync && (is_new || json_get(json_get_object(part, "time"), "end")))
        known->deaf = true;
    return known;
}

static void repair_text(struct repair *repair, const cJSON *part)
{
    struct translator *t = repair->t;
    const char *stored = field_text(part, "text");
    struct text_part *known;
    const char *id;

    if (!field_optional_id(part, "id", &id))
        return;
    known = open_text(repair, part, id);
    if (!known || known->forgotten)
        return;
    if (stored[0] != '\0' && !is_stale(t, known, stored) &&
        text_parts_replace(&t->texts, known, stored))
        emit_text_now(t, known);
    if (known->text.len > 0)
        repair->last = known;
}

/* Without a gap only calls whose beginning was sent are owed an end: OpenCode sent the others, and we
 * chose not to (B-585). */
static void repair_tool(struct repair *repair, cJSON *part, const struct part_origin *origin)
{
    struct translator *t = repair->t;
    const char *child = NULL;

    if (!t->had_gap && !repair->is_resync && !parts_has_begun(t, part, origin))
        return;
    child_sessions_associate(t, part, origin->session, &child);
    parts_translate(t, part, NULL, origin);
    if (child)
        child_sessions_release(t, child);
    child_sessions_close(t, part);
}

static void repair_part(struct repair *repair, cJSON *part, const struct part_origin *origin)
{
    const char *type = field_text(part, "type");

    if (strcmp(type, "text") == 0)
        repair_text(repair, part);
    else if (strcmp(type, "tool") == 0)
        repair_tool(repair, part, origin);
    else if (repair->t->had_gap && !repair->omits_steps)
        parts_translate(repair->t, part, NULL, origin);
}

/* An answer that failed before it said anything and whose session.error never came. */
static void repair_error(struct translator *t, const cJSON *info)
{
    const cJSON *error = json_get(info, "error");
    AUTO_FREE char *text = NULL;

    if (!t->finished_by_idle || t->has_output || t->last_error || field_is_empty(error))
        return;
    text = error_text(error);
    turn_parent_error(t, text);
}

static bool has_failed_call(const cJSON *parts)
{
    const cJSON *part;

    cJSON_ArrayForEach(part, parts) {
        if (strcmp(field_text(json_get_object(part, "state"), "status"), "error") == 0)
            return true;
    }
    return false;
}

/* OpenCode neither ended this answer nor failed it, or owes the one to its calls' results. (A call
 * that was refused ends the turn.) */
static bool is_unfinished(const cJSON *info, const cJSON *parts)
{
    if (json_get(info, "error"))
        return false;
    if (!json_get(json_get_object(info, "time"), "completed"))
        return true;
    return strcmp(field_text(info, "finish"), "tool-calls") == 0 && !has_failed_call(parts);
}

/* A summary that was finished: the session was compacted, and goes on with it. */
static void see_summary(struct repair *repair, const cJSON *info)
{
    struct translator *t = repair->t;

    if (is_unfinished(info, NULL) || json_get(info, "error") ||
        ++repair->compactions <= t->compactions)
        return;
    turn_on_compacted(t);
}

static enum attribution_verdict judge(struct repair *repair, const cJSON *info)
{
    const char *role = field_text(info, "role");
    bool is_assistant = strcmp(role, "assistant") == 0;
    double created;

    if (!repair->is_resync)
        return is_assistant ? attribution_judge(&repair->t->attribution, info) : ATTRIBUTION_REJECT;
    if (is_assistant)
        return messages_see_assistant(repair->t, info);
    /* One without a time would count as new, whatever its age (D-03). */
    if (strcmp(role, "user") == 0 &&
        json_get_number(json_get_object(info, "time"), "created", &created))
        messages_see_user(repair->t, info);
    return ATTRIBUTION_REJECT;
}

static void repair_message(struct repair *repair, const cJSON *info, cJSON *parts)
{
    enum attribution_verdict verdict = judge(repair, info);
    const struct part_origin origin = {.session = repair->t->session,
                                       .message_id = field_text(info, "id")};

    if (verdict == ATTRIBUTION_REJECT)
        return;
    repair->unfinished = is_unfinished(info, parts);
    if (verdict == ATTRIBUTION_ERROR_ONLY) {
        if (repair->is_resync)
            see_summary(repair, info);
        return;
    }
    for (cJSON *part = parts->child; part; part = part->next)
        repair_part(repair, part, &origin);
    repair_error(repair->t, info);
}

static void repair_messages(struct repair *repair, cJSON *messages)
{
    struct translator *t = repair->t;

    for (cJSON *entry = messages ? messages->child : NULL; entry; entry = entry->next) {
        const cJSON *info = json_get_object(entry, "info");
        cJSON *parts = json_get_array(entry, "parts");

        if (!info || !parts) { /* B-515: what follows cannot be trusted either */
            emit_note(t, LOG_ERROR, "bridge.final_state_error", NULL, NULL);
            break;
        }
        repair_message(repair, info, parts);
    }
    /* The control plane keeps the newest token as the answer (B-421), so a corrected earlier text
     * must not stay the last one. */
    if (repair->last && repair->last->sent && t->texts.last_sent != repair->last)
        emit_text_now(t, repair->last);
}

void repair_from_messages(struct translator *t, cJSON *messages)
{
    struct repair repair = {.t = t};

    if (cJSON_IsArray(messages))
        repair_messages(&repair, messages);
}

bool resync_from_messages(struct translator *t, const struct translator_stored *stored)
{
    struct repair repair = {.t = t, .is_resync = true, .omits_steps = stored->omits_steps};
    const cJSON *ours = json_get(stored->status, t->session);
    bool works = ours && strcmp(field_text(ours, "type"), "idle") != 0;

    t->had_gap = true;
    emit_waiting_text(t);
    if (cJSON_IsArray(stored->messages))
        repair_messages(&repair, stored->messages);
    if (!t->policy.alive)
        return false;
    if (works)
        turn_see_busy(t);
    else if (cJSON_IsObject(stored->status) && repair.unfinished)
        turn_abandon(t, abandoned_text);
    else if (!repair.unfinished)
        turn_on_session_idle(t);
    return true;
}
