#include "supervisor/bridge_service/bridge_message.h"

#include "common/json.h"

#include <stdio.h>
#include <string.h>

struct bridge_message bridge_message_read(const char *line, size_t len)
{
    struct bridge_message message = {.type = BRIDGE_MESSAGE_UNKNOWN};
    AUTO_JSON cJSON *json = json_parse(line, len, NULL);
    const char *type = json_get_string(json, "type");
    const char *reason = json_get_string(json, "reason");

    if (!type)
        return message;
    if (strcmp(type, "connected") == 0)
        message.type = BRIDGE_MESSAGE_CONNECTED;
    else if (strcmp(type, "prompt") == 0)
        message.type = BRIDGE_MESSAGE_PROMPT;
    else if (strcmp(type, "exiting") == 0)
        message.type = BRIDGE_MESSAGE_EXITING;
    message.running = json_get_bool(json, "running", false);
    snprintf(message.reason, sizeof message.reason, "%s", reason ? reason : "");
    return message;
}

#define MS_PER_S 1000

static void put_line(struct buf *out, const cJSON *message)
{
    json_print(message, out);
    buf_putc(out, '\n');
}

static cJSON *new_message(const char *type)
{
    cJSON *message = cJSON_CreateObject();

    json_add_string(message, "type", type);
    return message;
}

void bridge_message_boot(struct buf *out, const struct boot_phase *phase, bool connect)
{
    AUTO_JSON cJSON *message = new_message("boot");

    json_add_string(message, "phase", phase->name);
    json_add_string(message, "status", boot_phase_status_name(phase->status));
    json_add_number(message, "seq", phase->seq);
    json_add_number(message, "at", (double)phase->at_ms / MS_PER_S);
    if (phase->status != BOOT_PHASE_STARTED)
        json_add_number(message, "elapsedMs", (double)phase->elapsed_ms);
    if (phase->warning)
        json_add_bool(message, "warning", true);
    json_add_string(message, "detail", phase->detail);
    json_add_string(message, "repoOwner", phase->repository ? phase->repository->owner : NULL);
    json_add_string(message, "repoName", phase->repository ? phase->repository->name : NULL);
    json_add_bool(message, "connect", connect);
    put_line(out, message);
}

void bridge_message_plain(struct buf *out, const char *type)
{
    AUTO_JSON cJSON *message = new_message(type);

    put_line(out, message);
}

void bridge_message_ready(struct buf *out, const char *directory)
{
    AUTO_JSON cJSON *message = new_message("ready");

    json_add_string(message, "directory", directory);
    put_line(out, message);
}

void bridge_message_fatal(struct buf *out, const char *error)
{
    AUTO_JSON cJSON *message = new_message("fatal");

    json_add_string(message, "error", error);
    put_line(out, message);
}

void bridge_message_warning(struct buf *out, const char *scope, const char *text, const char *owner,
                            const char *name)
{
    AUTO_JSON cJSON *message = new_message("warning");

    json_add_string(message, "scope", scope);
    json_add_string(message, "message", text);
    json_add_string(message, "repoOwner", owner);
    json_add_string(message, "repoName", name);
    put_line(out, message);
}
