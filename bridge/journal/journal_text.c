/*
 * The journal's contents as text (journal_contents.h): reading what a crash may have cut, printing
 * what rebuilds them.
 */
#include "bridge/journal/journal_contents.h"

#include "common/json.h"

#include <stdlib.h>
#include <string.h>

#define CHECKSUM_DIGITS 8
#define CRC32_POLYNOMIAL 0xedb88320u

static uint32_t crc32_of(const char *text, size_t len)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    }
    return ~crc;
}

/* The record of one line, or NULL when the line is damaged. */
static cJSON *parse_line(const char *line, size_t len)
{
    char digits[CHECKSUM_DIGITS + 1] = {0};
    char *end;
    uint32_t checksum;

    if (len < CHECKSUM_DIGITS + 2 || line[CHECKSUM_DIGITS] != ' ')
        return NULL;
    memcpy(digits, line, CHECKSUM_DIGITS);
    checksum = (uint32_t)strtoul(digits, &end, 16);
    line += CHECKSUM_DIGITS + 1;
    len -= CHECKSUM_DIGITS + 1;
    if (*end || checksum != crc32_of(line, len))
        return NULL;
    return json_parse(line, len, NULL);
}

static bool is_owner(const cJSON *record, const char *sandbox_id, const char *session_id)
{
    const char *op = json_get_string(record, "op");
    const char *sandbox = json_get_string(record, "sandboxId");
    const char *session = json_get_string(record, "sessionId");

    return op && strcmp(op, "owner") == 0 && sandbox && strcmp(sandbox, sandbox_id) == 0 &&
           session && strcmp(session, session_id) == 0;
}

size_t journal_contents_read(struct journal_contents *contents, const char *text, size_t len,
                             const char *sandbox_id, const char *session_id)
{
    const char *end = text + len;
    bool first = true;
    size_t damaged = 0;

    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        size_t line_len = (size_t)((newline ? newline : end) - line);
        AUTO_JSON cJSON *record = parse_line(line, line_len);

        if (first && !is_owner(record, sandbox_id, session_id))
            return record ? 0 : 1;
        if (!record || (!first && journal_contents_apply(contents, record) != 0))
            damaged++;
        first = false;
        line += line_len + 1;
    }
    return damaged;
}

void journal_print_record(const cJSON *record, struct buf *out)
{
    char *text = json_to_string(record);
    size_t len = text ? strlen(text) : 0;

    if (text) {
        buf_printf(out, "%08x ", crc32_of(text, len));
        buf_append(out, text, len);
        buf_putc(out, '\n');
    } else {
        out->failed = true;
    }
    free(text);
}

cJSON *journal_record_new(const char *op, const char *key, const char *value)
{
    cJSON *record = cJSON_CreateObject();

    json_add_string(record, "op", op);
    json_add_string(record, key, value);
    return record;
}

static void print_and_delete(cJSON *record, struct buf *out)
{
    journal_print_record(record, out);
    cJSON_Delete(record);
}

static void print_prompt(const struct journal_prompt *prompt, struct buf *out)
{
    cJSON *record = journal_record_new("prompt", "messageId", prompt->message_id);
    const cJSON *error;

    json_put(record, "command", cJSON_CreateRaw(prompt->command));
    print_and_delete(record, out);
    cJSON_ArrayForEach(error, prompt->errors) {
        record = journal_record_new("erred", "messageId", prompt->message_id);
        json_put(record, "error", cJSON_Duplicate(error, false));
        print_and_delete(record, out);
    }
    if (!prompt->user_message_id)
        return;
    record = journal_record_new("posted", "messageId", prompt->message_id);
    json_add_string(record, "sessionId", prompt->session_id);
    json_add_string(record, "userMessageId", prompt->user_message_id);
    json_add_number(record, "startedMs", (double)prompt->started_wall_ms);
    print_and_delete(record, out);
}

void journal_contents_print(const struct journal_contents *contents, const char *sandbox_id,
                            const char *session_id, struct buf *out)
{
    cJSON *record = journal_record_new("owner", "sandboxId", sandbox_id);

    json_add_string(record, "sessionId", session_id);
    print_and_delete(record, out);
    if (contents->acks)
        print_and_delete(journal_record_new("acks", "", NULL), out);
    for (const struct journal_event *event = contents->events; event; event = event->next) {
        record = journal_record_new("event", "ackId", event->ack_id);
        json_put(record, "event", cJSON_CreateRaw(event->text));
        print_and_delete(record, out);
        if (event->sent)
            print_and_delete(journal_record_new("sent", "ackId", event->ack_id), out);
    }
    for (const struct journal_prompt *prompt = contents->prompts; prompt; prompt = prompt->next)
        print_prompt(prompt, out);
    for (const struct journal_push *push = contents->pushes; push; push = push->next) {
        record = journal_record_new("push", "pushId", push->push_id);
        json_put(record, "event", cJSON_CreateRaw(push->event));
        print_and_delete(record, out);
    }
}
