#include "common/json.h"

#include "common/wtf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any event; what a buffer's owner wants smaller, it bounds itself. */
#define JSON_TEXT_MAX ((size_t)256 * 1024 * 1024)
#define LARGEST_EXACT_INTEGER 9007199254740992.0

/* Prints the character at `text`, which is not plain; returns its bytes. */
static size_t print_character(const char *text, size_t len, struct buf *out)
{
    static const char short_escapes[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f',
    };
    uint32_t code = 0;
    size_t bytes = wtf8_decode(text, len, &code);

    if (bytes == 0) {
        buf_puts(out, "\xef\xbf\xbd");
        return 1;
    }
    if (code < 0x80 && short_escapes[code])
        buf_append(out, (char[]){'\\', short_escapes[code]}, 2);
    else if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff))
        buf_printf(out, "\\u%04x", code);
    else
        buf_append(out, text, bytes);
    return bytes;
}

void json_print_string(const char *text, size_t len, struct buf *out)
{
    size_t at = json_plain_length(text, len);
    char *room = buf_reserve(out, at + 2);

    if (!room)
        return;
    room[0] = room[at + 1] = '"';
    memcpy(room + 1, text, at);
    buf_commit(out, at == len ? at + 2 : at + 1);
    if (at == len)
        return;
    while (at < len) {
        size_t plain = json_plain_length(text + at, len - at);

        buf_append(out, text + at, plain);
        at += plain;
        if (at < len)
            at += print_character(text + at, len - at, out);
    }
    buf_putc(out, '"');
}

static void print_number(double number, struct buf *out)
{
    char text[32];

    if (!isfinite(number)) {
        buf_puts(out, "null");
        return;
    }
    if (number == floor(number) && fabs(number) <= LARGEST_EXACT_INTEGER) {
        buf_printf(out, "%.0f", number);
        return;
    }
    snprintf(text, sizeof text, "%.15g", number);
    if (strtod(text, NULL) != number)
        snprintf(text, sizeof text, "%.17g", number);
    buf_puts(out, text);
}

static void print_members(const cJSON *parent, bool with_keys, struct buf *out)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, parent) {
        if (member != parent->child)
            buf_putc(out, ',');
        if (with_keys) {
            const char *key = member->string ? member->string : "";

            json_print_string(key, strlen(key), out);
            buf_putc(out, ':');
        }
        json_print(member, out);
    }
}

void json_print(const cJSON *value, struct buf *out)
{
    switch (value ? value->type & 0xff : cJSON_NULL) {
    case cJSON_False:
        buf_puts(out, "false");
        break;
    case cJSON_True:
        buf_puts(out, "true");
        break;
    case cJSON_Number:
        print_number(value->valuedouble, out);
        break;
    case cJSON_String:
        json_print_string(value->valuestring, strlen(value->valuestring), out);
        break;
    case cJSON_Raw:
        buf_puts(out, value->valuestring);
        break;
    case cJSON_Array:
        buf_putc(out, '[');
        print_members(value, false, out);
        buf_putc(out, ']');
        break;
    case cJSON_Object:
        buf_putc(out, '{');
        print_members(value, true, out);
        buf_putc(out, '}');
        break;
    default:
        buf_puts(out, "null");
        break;
    }
}

char *json_to_string(const cJSON *value)
{
    struct buf out = BUF_INIT(JSON_TEXT_MAX);

    json_print(value, &out);
    return buf_take(&out);
}
