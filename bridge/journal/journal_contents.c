#include "bridge/journal/journal_contents.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* Of the ackIds that end a prompt or a push. */
#define COMPLETION_PREFIX "execution_complete:"
#define PUSH_COMPLETE_PREFIX "push_complete:"
#define PUSH_ERROR_PREFIX "push_error:"

static void free_event(struct journal_event *event)
{
    free(event->ack_id);
    free(event->text);
    free(event);
}

static void free_prompt(struct journal_prompt *prompt)
{
    free(prompt->message_id);
    free(prompt->command);
    free(prompt->session_id);
    free(prompt->user_message_id);
    cJSON_Delete(prompt->errors);
    free(prompt);
}

static void free_push(struct journal_push *push)
{
    free(push->push_id);
    free(push->event);
    free(push);
}

void journal_contents_clear(struct journal_contents *contents)
{
    while (contents->events) {
        struct journal_event *event = contents->events;

        contents->events = event->next;
        free_event(event);
    }
    while (contents->prompts) {
        struct journal_prompt *prompt = contents->prompts;

        contents->prompts = prompt->next;
        free_prompt(prompt);
    }
    while (contents->pushes) {
        struct journal_push *push = contents->pushes;

        contents->pushes = push->next;
        free_push(push);
    }
    *contents = (struct journal_contents){0};
}

/* The link that points to the entry, or to the NULL at the end. */
static struct journal_event **find_event(struct journal_contents *contents, const char *ack_id)
{
    struct journal_event **link = &contents->events;

    while (*link && strcmp((*link)->ack_id, ack_id) != 0)
        link = &(*link)->next;
    return link;
}

static struct journal_prompt **find_prompt(struct journal_contents *contents,
                                           const char *message_id)
{
    struct journal_prompt **link = &contents->prompts;

    while (*link && strcmp((*link)->message_id, message_id) != 0)
        link = &(*link)->next;
    return link;
}

static struct journal_push **find_push(struct journal_contents *contents, const char *push_id)
{
    struct journal_push **link = &contents->pushes;

    while (*link && strcmp((*link)->push_id, push_id) != 0)
        link = &(*link)->next;
    return link;
}

static int remove_event(struct journal_contents *contents, const char *ack_id)
{
    struct journal_event **link = find_event(contents, ack_id), *event = *link;

    if (!event)
        return -1;
    contents->bytes -= strlen(event->text);
    *link = event->next;
    free_event(event);
    return 0;
}

static int remove_prompt(struct journal_contents *contents, const char *message_id)
{
    struct journal_prompt **link = find_prompt(contents, message_id), *prompt = *link;

    if (!prompt)
        return -1;
    contents->bytes -= strlen(prompt->command);
    *link = prompt->next;
    free_prompt(prompt);
    return 0;
}

static int remove_push(struct journal_contents *contents, const char *push_id)
{
    struct journal_push **link = find_push(contents, push_id), *push = *link;

    if (!push)
        return -1;
    contents->bytes -= strlen(push->event);
    *link = push->next;
    free_push(push);
    return 0;
}

/* What the event with this id answers needs no answer any more. */
static void remove_answered(struct journal_contents *contents, const char *ack_id)
{
    static const struct {
        const char *prefix;
        int (*remove)(struct journal_contents *contents, const char *id);
    } answers[] = {
        {COMPLETION_PREFIX, remove_prompt},
        {PUSH_COMPLETE_PREFIX, remove_push},
        {PUSH_ERROR_PREFIX, remove_push},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        size_t len = strlen(answers[i].prefix);

        if (strncmp(ack_id, answers[i].prefix, len) == 0)
            answers[i].remove(contents, ack_id + len);
    }
}

/* A copy that counts towards the bound; NULL when it does not fit. Takes `text` over. */
static char *keep_text(struct journal_contents *contents, char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (contents->bytes + len > JOURNAL_CONTENTS_MAX_BYTES)
        contents->is_full = true;
    if (!text || contents->bytes + len > JOURNAL_CONTENTS_MAX_BYTES) {
        free(text);
        return NULL;
    }
    contents->bytes += len;
    return text;
}

/* `error`: a text, or anything else for a sub-task's. */
static int note_error(struct journal_contents *contents, const char *message_id, const cJSON *error)
{
    struct journal_prompt *prompt = message_id ? *find_prompt(contents, message_id) : NULL;

    if (!prompt)
        return -1;
    if (!prompt->errors)
        prompt->errors = cJSON_CreateArray();
    if (cJSON_GetArraySize(prompt->errors) < JOURNAL_ERRORS_MAX)
        cJSON_AddItemToArray(prompt->errors, cJSON_IsString(error)
                                                 ? cJSON_CreateString(error->valuestring)
                                                 : cJSON_CreateNull());
    return 0;
}

static void note_error_event(struct journal_contents *contents, const cJSON *event)
{
    const char *type = json_get_string(event, "type");

    if (type && strcmp(type, "error") == 0)
        note_error(contents, json_get_nonempty(event, "messageId"),
                   json_get_bool(event, "isSubtask", false) ? NULL : json_get(event, "error"));
}

static int add_event(struct journal_contents *contents, const char *ack_id, const cJSON *record)
{
    struct journal_event *event = calloc(1, sizeof *event);

    if (!event)
        return -1;
    remove_event(contents, ack_id);
    event->ack_id = strdup(ack_id);
    event->text = keep_text(contents, json_to_string(json_get(record, "event")));
    if (!event->ack_id || !event->text) {
        contents->bytes -= event->text ? strlen(event->text) : 0;
        free_event(event);
        return -1;
    }
    *find_event(contents, ack_id) = event;
    note_error_event(contents, json_get(record, "event"));
    remove_answered(contents, ack_id);
    return 0;
}

static int mark_sent(struct journal_contents *contents, const char *ack_id)
{
    struct journal_event *event = *find_event(contents, ack_id);

    if (!event)
        return -1;
    event->sent = true;
    return 0;
}

static int add_prompt(struct journal_contents *contents, const char *message_id,
                      const cJSON *record)
{
    struct journal_prompt *prompt = calloc(1, sizeof *prompt);

    if (!prompt)
        return -1;
    remove_prompt(contents, message_id);
    prompt->message_id = strdup(message_id);
    prompt->command = keep_text(contents, json_to_string(json_get_object(record, "command")));
    if (!prompt->message_id || !prompt->command) {
        contents->bytes -= prompt->command ? strlen(prompt->command) : 0;
        free_prompt(prompt);
        return -1;
    }
    *find_prompt(contents, message_id) = prompt;
    return 0;
}

static int mark_posted(struct journal_contents *contents, const char *message_id,
                       const cJSON *record)
{
    struct journal_prompt *prompt = *find_prompt(contents, message_id);
    const char *session_id = json_get_nonempty(record, "sessionId");
    const char *user_message_id = json_get_nonempty(record, "userMessageId");
    double started = 0;

    if (!prompt || !session_id || !user_message_id ||
        !json_get_number(record, "startedMs", &started) || started < 0)
        return -1;
    free(prompt->session_id);
    free(prompt->user_message_id);
    prompt->session_id = strdup(session_id);
    prompt->user_message_id = strdup(user_message_id);
    prompt->started_wall_ms = (uint64_t)started;
    return prompt->session_id && prompt->user_message_id ? 0 : -1;
}

static int add_push(struct journal_contents *contents, const char *push_id, const cJSON *record)
{
    struct journal_push *push = calloc(1, sizeof *push);

    if (!push)
        return -1;
    remove_push(contents, push_id);
    push->push_id = strdup(push_id);
    push->event = keep_text(contents, json_to_string(json_get_object(record, "event")));
    if (!push->push_id || !push->event) {
        contents->bytes -= push->event ? strlen(push->event) : 0;
        free_push(push);
        return -1;
    }
    *find_push(contents, push_id) = push;
    return 0;
}

int journal_contents_apply(struct journal_contents *contents, const cJSON *record)
{
    const char *op = json_get_string(record, "op");
    const char *ack_id = json_get_nonempty(record, "ackId");
    const char *message_id = json_get_nonempty(record, "messageId");
    const char *push_id = json_get_nonempty(record, "pushId");

    if (!op)
        return -1;
    if (strcmp(op, "acks") == 0) {
        contents->acks = true;
        return 0;
    }
    if (ack_id && strcmp(op, "event") == 0 && json_get_object(record, "event"))
        return add_event(contents, ack_id, record);
    if (ack_id && strcmp(op, "sent") == 0)
        return mark_sent(contents, ack_id);
    if (ack_id && strcmp(op, "gone") == 0)
        return remove_event(contents, ack_id);
    if (message_id && strcmp(op, "prompt") == 0 && json_get_object(record, "command"))
        return add_prompt(contents, message_id, record);
    if (message_id && strcmp(op, "posted") == 0)
        return mark_posted(contents, message_id, record);
    if (message_id && strcmp(op, "erred") == 0)
        return note_error(contents, message_id, json_get(record, "error"));
    if (message_id && strcmp(op, "ended") == 0)
        return remove_prompt(contents, message_id);
    if (push_id && strcmp(op, "push") == 0 && json_get_object(record, "event"))
        return add_push(contents, push_id, record);
    return -1;
}
