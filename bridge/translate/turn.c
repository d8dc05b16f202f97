/*
 * How a turn ends: errors, idle, compaction, limits, and the one completion (bridge.md 5.7, 5.8,
 * 5.10, B-314..B-317).
 */
#include "bridge/translate/error_text.h"
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static const char no_output_text[] = "OpenCode completed without emitting assistant output.";

static void keep_text(char **slot, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    free(*slot);
    *slot = copy;
}

static void forget_early_error(struct translator *t)
{
    if (t->early_error)
        emit_note(t, LOG_INFO, "bridge.stale_error_ignored", "error_msg", t->early_error);
    keep_text(&t->early_error, NULL);
}

void turn_see_life(struct translator *t)
{
    if (prompt_policy_see_life(&t->policy))
        forget_early_error(t);
}

void turn_see_busy(struct translator *t)
{
    if (prompt_policy_see_busy(&t->policy))
        forget_early_error(t);
}

void turn_recall_error(struct translator *t, const char *text)
{
    id_table_add(&t->errors, text);
    keep_text(&t->last_error, text);
}

void turn_parent_error(struct translator *t, const char *text)
{
    if (!text)
        text = "Unknown error";
    if (!id_table_add(&t->errors, text))
        return;
    keep_text(&t->last_error, text);
    emit_error(t, emit_new(t, "error"), text);
}

static void fail_by_error(struct translator *t, const char *text)
{
    unsigned sent = t->error_count;

    child_sessions_flush(t);
    turn_parent_error(t, text);
    EMIT_NOTE(t, LOG_ERROR, "bridge.session_error", NOTE_TEXT("error_msg", text),
              NOTE_BOOL("deduped", t->error_count == sent));
    turn_complete(t);
}

static void on_parent_error(struct translator *t, const cJSON *error)
{
    AUTO_FREE char *text = error_text(error);

    if (error_is_overflow(error)) {
        keep_text(&t->overflow, text ? text : "Context overflow");
        emit_note(t, LOG_INFO, "bridge.context_overflow_compacting", "error_msg", text);
        return;
    }
    /* The abort of the turn before may be reported late (D-02). */
    if (error_is_abort(error) && t->last_prompt_unsettled && !t->has_output) {
        emit_note(t, LOG_INFO, "bridge.stale_error_ignored", "error_msg", text);
        return;
    }
    if (prompt_policy_doubts_error(&t->policy, t->last_prompt_unsettled, t->now)) {
        keep_text(&t->early_error, text ? text : "Unknown error");
        return;
    }
    fail_by_error(t, text);
}

void turn_apply_early_error(struct translator *t)
{
    AUTO_FREE char *text = TAKE_PTR(t->early_error);

    fail_by_error(t, text);
}

void turn_on_session_error(struct translator *t, const cJSON *properties)
{
    const char *session = field_id(properties, "sessionID");
    const cJSON *error = json_get(properties, "error");

    if (!session)
        return;
    if (t->session && strcmp(session, t->session) == 0)
        on_parent_error(t, error);
    else if (subtasks_is_child(&t->subtasks, session))
        child_sessions_on_error(t, session, error);
}

void turn_on_session_idle(struct translator *t)
{
    bool said_something =
        t->has_output || t->last_error || t->overflow || t->subtasks.queue_count > 0;

    if (prompt_policy_see_idle(&t->policy, said_something, t->now) == PROMPT_IDLE_FINISHED)
        turn_finish(t);
}

void turn_finish(struct translator *t)
{
    t->finished_by_idle = true;
    child_sessions_flush(t);
    if (t->overflow && !t->last_error) {
        turn_parent_error(t, t->overflow);
        emit_note(t, LOG_ERROR, "bridge.context_overflow_unrecovered", "error_msg", t->overflow);
    }
    prompt_policy_fetch(&t->policy, NULL, t->policy.limits.fetch_ms, t->now);
}

void turn_break_off(struct translator *t, const char *text, const char *abort_reason,
                    uint64_t limit_ms)
{
    keep_text(&t->failure, text);
    child_sessions_flush(t);
    prompt_policy_fetch(&t->policy, abort_reason, limit_ms, t->now);
}

void turn_abandon(struct translator *t, const char *text)
{
    keep_text(&t->failure, text);
    child_sessions_flush(t);
    turn_complete(t);
}

/* After a gap, one that the stored summary told of already may still be heard (B-571). */
void turn_on_session_compacted(struct translator *t)
{
    if (!t->had_gap || t->compactions < t->attribution.summaries.count)
        turn_on_compacted(t);
}

void turn_on_compacted(struct translator *t)
{
    t->compactions++;
    attribution_set_compacted(&t->attribution);
    keep_text(&t->overflow, NULL);
    emit_note(t, LOG_INFO, "bridge.session_compacted", NULL, NULL);
    emit_event(t, emit_new(t, "context_compacted"));
}

static const char *completion_error(struct translator *t)
{
    if (t->failure)
        return t->failure;
    if (t->last_error)
        return t->last_error;
    if (t->has_output)
        return NULL;
    emit_note(t, LOG_ERROR, "prompt.no_output", NULL, NULL);
    return no_output_text;
}

void turn_complete(struct translator *t)
{
    static const char prefix[] = "execution_complete:";
    AUTO_BUF struct buf ack_id = BUF_INIT(sizeof(prefix) + strlen(t->message_id));
    const char *error;
    cJSON *event;

    if (t->policy.phase == PROMPT_DONE)
        return;
    emit_waiting_text(t);
    error = completion_error(t);
    if (t->result == TRANSLATOR_RUNNING)
        t->result = error ? TRANSLATOR_FAILED : TRANSLATOR_SUCCEEDED;
    event = emit_new(t, "execution_complete");
    json_add_bool(event, "success", t->result == TRANSLATOR_SUCCEEDED);
    if (error && error[0] != '\0') /* B-317 */
        json_add_string(event, "error", error);
    buf_puts(&ack_id, prefix);
    buf_puts(&ack_id, t->message_id);
    json_add_string(event, "ackId", buf_text(&ack_id));
    keep_text(&t->result_error, error);
    t->last_prompt_unsettled = !t->finished_by_idle;
    prompt_policy_end(&t->policy);
    emit_event(t, event);
}
