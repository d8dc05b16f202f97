/*
 * The final fetch: what OpenCode stored is compared with what was sent, and only what is missing or
 * different goes out (bridge.md 5.9, D-10).
 */
#include "bridge/translate/error_text.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

/* A turn that we broke off may be stored with less than was streamed: OpenCode stores a text when
 * it is finished. That is no correction. */
static bool is_stale(const struct translator *t, const struct text_part *known, const char *stored)
{
    size_t len = strlen(stored);

    return !t->finished_by_idle && len < known->text.len &&
           memcmp(stored, buf_text(&known->text), len) == 0;
}

/* Returns the part if it holds text now. */
static struct text_part *repair_text(struct translator *t, const cJSON *part)
{
    const char *stored = field_text(part, "text");
    struct text_part *known;
    const char *id;

    if (strcmp(field_text(part, "type"), "text") != 0 || !field_optional_id(part, "id", &id))
        return NULL;
    known = text_parts_open(&t->texts, id);
    if (!known || known->forgotten)
        return NULL;
    if (stored[0] != '\0' && !is_stale(t, known, stored) &&
        text_parts_replace(&t->texts, known, stored))
        emit_text_now(t, known);
    return known->text.len > 0 ? known : NULL;
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

void repair_from_messages(struct translator *t, const cJSON *messages)
{
    struct text_part *last = NULL;
    const cJSON *entry;

    if (!cJSON_IsArray(messages))
        return;
    cJSON_ArrayForEach(entry, messages) {
        const cJSON *info = json_get_object(entry, "info");
        const cJSON *parts = json_get_array(entry, "parts");
        const cJSON *part;

        if (!info || !parts) { /* B-515: what follows cannot be trusted either */
            emit_note(t, LOG_ERROR, "bridge.final_state_error", NULL, NULL);
            break;
        }
        if (strcmp(field_text(info, "role"), "assistant") != 0 ||
            attribution_judge(&t->attribution, info) != ATTRIBUTION_OUTPUT)
            continue;
        cJSON_ArrayForEach(part, parts) {
            struct text_part *text = repair_text(t, part);

            last = text ? text : last;
        }
        repair_error(t, info);
    }
    /* The control plane keeps the newest token as the answer (B-421), so a corrected earlier text
     * must not stay the last one. */
    if (last && last->sent && t->texts.last_sent != last)
        emit_text_now(t, last);
}
