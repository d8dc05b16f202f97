#include "bridge/control_plane/command.h"

#include "common/json.h"

#include <string.h>

static const char *const TYPE_NAMES[] = {
    [COMMAND_UNKNOWN] = "unknown",
    [COMMAND_PROMPT] = "prompt",
    [COMMAND_STOP] = "stop",
    [COMMAND_SNAPSHOT] = "snapshot",
    [COMMAND_SHUTDOWN] = "shutdown",
    [COMMAND_PUSH] = "push",
    [COMMAND_ACK] = "ack",
    [COMMAND_REFRESH_DIFF] = "refresh_diff",
    [COMMAND_GIT_SYNC_COMPLETE] = "git_sync_complete",
};
_Static_assert(sizeof TYPE_NAMES / sizeof TYPE_NAMES[0] == COMMAND_TYPE_COUNT, "a name each");

static enum command_type type_of(const cJSON *body)
{
    const char *name = json_get_string(body, "type");

    for (int i = COMMAND_UNKNOWN + 1; name && i < COMMAND_TYPE_COUNT; i++) {
        if (strcmp(name, TYPE_NAMES[i]) == 0)
            return (enum command_type)i;
    }
    return COMMAND_UNKNOWN;
}

int command_parse(char *text, size_t len, struct command *command, struct err *err)
{
    *command = (struct command){.body = json_parse_in_place(text, len, err)};
    if (!command->body)
        return COMMAND_NO_JSON;
    if (!cJSON_IsObject(command->body)) {
        command_clear(command);
        err_set(err, ERR_PROTOCOL, "a command must be a JSON object");
        return COMMAND_NO_OBJECT;
    }
    command->type = type_of(command->body);
    return 0;
}

void command_clear(struct command *command)
{
    cJSON_Delete(command->body);
    *command = (struct command){0};
}

const char *command_type_name(enum command_type type)
{
    return TYPE_NAMES[type];
}

struct prompt_command command_prompt(const cJSON *body)
{
    const char *message_id = json_get_nonempty(body, "messageId");
    const char *content = json_get_string(body, "content");

    if (!message_id)
        message_id = json_get_nonempty(body, "message_id");
    return (struct prompt_command){
        .message_id = message_id ? message_id : COMMAND_NO_MESSAGE_ID,
        .content = content ? content : "",
        .model = json_get_nonempty(body, "model"),
        .reasoning_effort = json_get_nonempty(body, "reasoningEffort"),
        .author = json_get_object(body, "author"),
        .attachments = json_get(body, "attachments"),
    };
}

bool command_shows_current_contract(const struct command *command)
{
    return command->type == COMMAND_ACK ||
           (command->type == COMMAND_PROMPT &&
            json_get_object(json_get_object(command->body, "author"), "gitIdentity"));
}
