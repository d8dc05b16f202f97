#include "bridge/translate/translator.h"

#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static const char disconnect_text[] =
    "OpenCode event stream disconnected before completion; partial "
    "output was preserved when available.";

struct translator *translator_new(const struct translator_limits *limits)
{
    struct translator *t = calloc(1, sizeof(*t));

    if (!t)
        return NULL;
    t->policy.limits = limits ? *limits : TRANSLATOR_DEFAULT_LIMITS;
    attribution_init(&t->attribution);
    subtasks_init(&t->subtasks);
    held_parts_init(&t->held);
    text_parts_init(&t->texts);
    id_table_init(&t->tools, TRANSLATOR_TOOL_KEYS_MAX, NULL);
    id_table_init(&t->errors, TRANSLATOR_ERRORS_MAX, NULL);
    return t;
}

static void free_text(char **text)
{
    free(*text);
    *text = NULL;
}

static void forget_prompt(struct translator *t)
{
    attribution_clear(&t->attribution);
    subtasks_clear(&t->subtasks);
    held_parts_clear(&t->held);
    text_parts_clear(&t->texts);
    id_table_clear(&t->tools);
    id_table_clear(&t->errors);
    free_text(&t->message_id);
    free_text(&t->overflow);
    free_text(&t->early_error);
    free_text(&t->last_error);
    free_text(&t->failure);
    free_text(&t->result_error);
    t->error_count = t->compactions = 0;
    t->has_output = t->finished_by_idle = t->had_gap = false;
    t->said_parts_dropped = t->said_activity_dropped = false;
}

void translator_free(struct translator *t)
{
    if (!t)
        return;
    forget_prompt(t);
    free(t->session);
    free(t->last_title);
    free(t);
}

void translator_set_session(struct translator *t, const char *session_id)
{
    char *copy = session_id ? strdup(session_id) : NULL;

    free(t->session);
    t->session = copy;
}

int translator_begin(struct translator *t, const char *message_id, uint64_t now)
{
    char *copy = translator_is_done(t) ? strdup(message_id) : NULL;

    if (!copy)
        return -1;
    forget_prompt(t);
    t->message_id = copy;
    t->result = TRANSLATOR_RUNNING;
    t->now = now;
    prompt_policy_begin(&t->policy);
    return 0;
}

void translator_recall_error(struct translator *t, const char *text)
{
    t->error_count++;
    if (text)
        turn_recall_error(t, text);
}

int translator_start(struct translator *t, const char *user_message_id, uint64_t wall_ms,
                     uint64_t now)
{
    if (translator_is_done(t) || attribution_start(&t->attribution, user_message_id, wall_ms) != 0)
        return -1;
    prompt_policy_start(&t->policy, now);
    return 0;
}

void translator_accepted(struct translator *t, uint64_t now)
{
    prompt_policy_accept(&t->policy, now);
}

static void enter(struct translator *t, uint64_t now, const struct translator_sink *sink)
{
    t->sink = sink;
    t->now = now;
}

/* What the prompt kept is only needed until its completion; its texts may be large. */
static void leave(struct translator *t)
{
    t->sink = NULL;
    if (!translator_is_done(t))
        return;
    subtasks_clear(&t->subtasks);
    held_parts_clear(&t->held);
    text_parts_clear(&t->texts);
    id_table_clear(&t->tools);
}

static void on_ask(struct translator *t, const cJSON *properties, enum translator_ask_kind kind)
{
    const char *id = field_id(properties, "id");

    if (!id || !t->sink->on_ask)
        return;
    emit_note(t, LOG_WARNING, "bridge.ask_rejected", "ask_id", id);
    t->sink->on_ask(t->sink->user, kind, id);
}

static void on_session_created(struct translator *t, const cJSON *properties)
{
    const cJSON *info = json_get_object(properties, "info");
    const char *id = field_id(info, "id");
    const char *parent = field_id(info, "parentID");

    if (id && parent && strcmp(id, t->session) != 0 &&
        (strcmp(parent, t->session) == 0 || subtasks_is_child(&t->subtasks, parent))) /* D-51 */
        child_sessions_track(t, id, parent, "session.created");
}

static void on_session_status(struct translator *t, const char *session, const cJSON *properties)
{
    const char *type = field_text(json_get_object(properties, "status"), "type");

    if (strcmp(session, t->session) != 0)
        return;
    if (strcmp(type, "idle") == 0)
        turn_on_session_idle(t);
    else if (strcmp(type, "busy") == 0)
        turn_see_busy(t);
}

/* B-533. `*session` is "" for an event that names none. */
static bool concerns_us(const struct translator *t, const cJSON *properties, const char **session)
{
    if (!field_optional_id(properties, "sessionID", session))
        return false;
    if (**session == '\0' &&
        !field_optional_id(json_get_object(properties, "part"), "sessionID", session))
        return false;
    return **session == '\0' || strcmp(*session, t->session) == 0 ||
           subtasks_is_child(&t->subtasks, *session);
}

static void dispatch(struct translator *t, const char *type, cJSON *properties, size_t size)
{
    const char *session;

    if (strcmp(type, "session.created") == 0) {
        on_session_created(t, properties);
        return;
    }
    if (!concerns_us(t, properties, &session))
        return;
    if (*session != '\0')
        t->policy.session_heard_ms = t->now;
    if (strcmp(type, "message.part.delta") == 0)
        messages_on_part_delta(t, properties, size);
    else if (strcmp(type, "message.part.updated") == 0)
        messages_on_part_updated(t, properties, size);
    else if (strcmp(type, "message.updated") == 0)
        messages_on_updated(t, properties);
    else if (strcmp(type, "session.status") == 0)
        on_session_status(t, session, properties);
    else if (strcmp(type, "session.idle") == 0 && strcmp(session, t->session) == 0)
        turn_on_session_idle(t);
    else if (strcmp(type, "session.error") == 0)
        turn_on_session_error(t, properties);
    else if (strcmp(type, "session.compacted") == 0 && strcmp(session, t->session) == 0)
        turn_on_session_compacted(t);
    else if (strcmp(type, "permission.asked") == 0 && *session != '\0')
        on_ask(t, properties, TRANSLATOR_ASK_PERMISSION);
    else if (strcmp(type, "question.asked") == 0 && *session != '\0')
        on_ask(t, properties, TRANSLATOR_ASK_QUESTION);
}

void translator_feed(struct translator *t, cJSON *event, size_t size, uint64_t now,
                     const struct translator_sink *sink)
{
    const char *type = field_text(event, "type");
    cJSON *properties = json_get_object(event, "properties");

    if (!t->session)
        return;
    enter(t, now, sink);
    if (strcmp(type, "session.updated") == 0)
        title_on_session_updated(t, properties);
    else if (prompt_policy_is_listening(&t->policy))
        dispatch(t, type, properties, size);
    leave(t);
}

void translator_heard(struct translator *t, uint64_t now)
{
    t->policy.heard_ms = now;
}

void translator_not_listening(struct translator *t, uint64_t now)
{
    prompt_policy_not_listening(&t->policy, now);
}

bool translator_is_listening(const struct translator *t)
{
    return prompt_policy_is_listening(&t->policy);
}

void translator_on_gap(struct translator *t)
{
    t->had_gap = true;
    text_parts_deafen(&t->texts);
}

bool translator_resync(struct translator *t, const struct translator_stored *stored, uint64_t now,
                       const struct translator_sink *sink)
{
    bool has_prompt;

    if (!translator_is_listening(t))
        return true;
    enter(t, now, sink);
    has_prompt = resync_from_messages(t, stored);
    leave(t);
    return has_prompt;
}

void translator_stream_lost(struct translator *t, uint64_t now, const struct translator_sink *sink)
{
    if (!prompt_policy_is_listening(&t->policy))
        return;
    enter(t, now, sink);
    emit_note(t, LOG_ERROR, "bridge.sse_transport_error", NULL, NULL);
    turn_break_off(t, disconnect_text, "stream_lost", t->policy.limits.fetch_ms);
    leave(t);
}

void translator_fail(struct translator *t, const char *text, uint64_t now,
                     const struct translator_sink *sink)
{
    AUTO_JSON cJSON *cut = field_cut_string(text, FIELD_ERROR_MAX);

    if (translator_is_done(t))
        return;
    enter(t, now, sink);
    free_text(&t->failure);
    t->failure = strdup(cut ? cut->valuestring : "");
    turn_complete(t);
    leave(t);
}

void translator_cancel(struct translator *t, uint64_t now, const struct translator_sink *sink)
{
    if (translator_is_done(t))
        return;
    enter(t, now, sink);
    free_text(&t->failure);
    t->failure = strdup("Task was cancelled");
    t->result = TRANSLATOR_CANCELLED;
    turn_complete(t);
    leave(t);
}

void translator_repair(struct translator *t, cJSON *messages, uint64_t now,
                       const struct translator_sink *sink)
{
    if (t->policy.phase != PROMPT_FETCHING)
        return;
    enter(t, now, sink);
    emit_waiting_text(t);
    repair_from_messages(t, messages);
    turn_complete(t);
    leave(t);
}

void translator_see_status(struct translator *t, const cJSON *status, uint64_t now,
                           const struct translator_sink *sink)
{
    const cJSON *ours = t->session ? json_get(status, t->session) : NULL;
    bool works = ours && strcmp(field_text(ours, "type"), "idle") != 0;

    if (!prompt_policy_see_answer(&t->policy, now) || !cJSON_IsObject(status) || works)
        return;
    enter(t, now, sink);
    emit_note(t, LOG_ERROR, "bridge.prompt_not_running", NULL, NULL);
    turn_finish(t);
    leave(t);
}

uint64_t translator_deadline(const struct translator *t)
{
    uint64_t text = text_parts_due(&t->texts, t->policy.limits.token_interval_ms);
    uint64_t prompt = prompt_policy_deadline(&t->policy);

    return text < prompt ? text : prompt;
}

void translator_tick(struct translator *t, uint64_t now, const struct translator_sink *sink)
{
    enter(t, now, sink);
    if (text_parts_due(&t->texts, t->policy.limits.token_interval_ms) <= now)
        emit_waiting_text(t);
    alarms_raise(t, prompt_policy_check(&t->policy, now));
    leave(t);
}

struct translator_wants translator_take_wants(struct translator *t)
{
    struct translator_wants wants = t->policy.wants;

    t->policy.wants = (struct translator_wants){0};
    return wants;
}

bool translator_is_done(const struct translator *t)
{
    return t->policy.phase == PROMPT_DONE;
}

struct translator_outcome translator_outcome(const struct translator *t)
{
    return (struct translator_outcome){.result = t->result,
                                       .error = t->result_error,
                                       .was_ended = t->result == TRANSLATOR_FAILED && t->failure};
}
