#include "common/json.h"

#include "common/wtf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far above any event; what a buffer's owner wants smaller, it bounds itself. */
#define JSON_TEXT_MAX ((size_t)256 * 1024 * 1024)
#define ESCAPE_LEN 6 /* \uXXXX */
#define LARGEST_EXACT_INTEGER 9007199254740992.0

/* The four hex digits of "\uXXXX" at `text`; -1 when it is no such escape. */
static int32_t escape_at(const char *text, size_t len)
{
    int32_t code = 0;

    if (len < ESCAPE_LEN || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < ESCAPE_LEN; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

/*
 * Copies one backslash sequence from *in to *out. What cJSON would refuse or cut the string at (a
 * lone surrogate, U+0000) becomes raw WTF-8; everything else stays as it is.
 */
static void copy_escape(const char **in, const char *end, char **out)
{
    size_t left = (size_t)(end - *in);
    int32_t code = escape_at(*in, left);
    size_t take = code >= 0 ? ESCAPE_LEN : left < 2 ? left : 2;

    if (code > 0 && wtf8_is_high_surrogate((uint32_t)code)) {
        int32_t low = escape_at(*in + ESCAPE_LEN, left - ESCAPE_LEN);

        if (low > 0 && wtf8_is_low_surrogate((uint32_t)low)) {
            take = 2 * ESCAPE_LEN;
            code = -1;
        }
    }
    if (code == 0 || (code >= 0xd800 && code <= 0xdfff))
        *out += wtf8_encode((uint32_t)code, *out);
    else {
        memmove(*out, *in, take);
        *out += take;
    }
    *in += take;
}

/* Rewrites escapes in place (never longer) and bounds the nesting. The new length, or -1. */
static ptrdiff_t rewrite(char *text, size_t len)
{
    const char *in = text, *end = text + len;
    char *out = text;
    bool in_string = false;
    unsigned depth = 0;

    while (in < end) {
        char c = *in;

        if (in_string && c == '\\') {
            copy_escape(&in, end, &out);
            continue;
        }
        if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
            return -1;
        else if (!in_string && (c == '}' || c == ']') && depth > 0)
            depth--;
        *out++ = c;
        in++;
    }
    return out - text;
}

cJSON *json_parse_in_place(char *text, size_t len, struct err *err)
{
    ptrdiff_t rewritten = rewrite(text, len);
    const char *end = NULL;
    cJSON *value;

    if (rewritten < 0) {
        err_set(err, ERR_PROTOCOL, "JSON is nested deeper than %d", JSON_DEPTH_MAX);
        return NULL;
    }
    value = cJSON_ParseWithLengthOpts(text, (size_t)rewritten, &end, 0);
    if (!value) {
        err_set(err, ERR_PROTOCOL, "not JSON, at byte %td", end ? end - text : (ptrdiff_t)0);
        return NULL;
    }
    for (; end < text + rewritten; end++) {
        if (!strchr(" \t\r\n", *end) || !*end) {
            cJSON_Delete(value);
            err_set(err, ERR_PROTOCOL, "JSON is followed by something else, at byte %td",
                    end - text);
            return NULL;
        }
    }
    return value;
}

cJSON *json_parse(const char *text, size_t len, struct err *err)
{
    char *copy = malloc(len + 1);
    cJSON *value;

    if (!copy) {
        err_set(err, ERR_NO_MEMORY, "out of memory for %zu bytes of JSON", len);
        return NULL;
    }
    memcpy(copy, text, len);
    value = json_parse_in_place(copy, len, err);
    free(copy);
    return value;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

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
        buf_printf(out, "\\%c", short_escapes[code]);
    else if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff))
        buf_printf(out, "\\u%04x", code);
    else
        buf_append(out, text, bytes);
    return bytes;
}

void json_print_string(const char *text, size_t len, struct buf *out)
{
    size_t at = 0;

    buf_putc(out, '"');
    while (at < len) {
        size_t plain = at;

        while (plain < len && is_plain((unsigned char)text[plain]))
            plain++;
        buf_append(out, text + at, plain - at);
        at = plain;
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

void json_join(struct buf *out, const char *text, size_t len)
{
    uint32_t high, low;
    char joined[4];

    if (out->len >= 3 && wtf8_decode(out->data + out->len - 3, 3, &high) == 3 &&
        wtf8_is_high_surrogate(high) && wtf8_decode(text, len, &low) == 3 &&
        wtf8_is_low_surrogate(low)) {
        out->len -= 3;
        buf_append(out, joined, wtf8_encode(wtf8_join_surrogates(high, low), joined));
        text += 3;
        len -= 3;
    }
    buf_append(out, text, len);
}

cJSON *json_get(const cJSON *object, const char *key)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

const char *json_get_string(const cJSON *object, const char *key)
{
    return cJSON_GetStringValue(json_get(object, key));
}

const char *json_get_nonempty(const cJSON *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text && *text ? text : NULL;
}

cJSON *json_get_object(const cJSON *object, const char *key)
{
    cJSON *value = json_get(object, key);

    return cJSON_IsObject(value) ? value : NULL;
}

cJSON *json_get_array(const cJSON *object, const char *key)
{
    cJSON *value = json_get(object, key);

    return cJSON_IsArray(value) ? value : NULL;
}

bool json_get_bool(const cJSON *object, const char *key, bool otherwise)
{
    const cJSON *value = json_get(object, key);

    return cJSON_IsBool(value) ? cJSON_IsTrue(value) : otherwise;
}

bool json_get_number(const cJSON *object, const char *key, double *number)
{
    const cJSON *value = json_get(object, key);

    if (!cJSON_IsNumber(value))
        return false;
    *number = value->valuedouble;
    return true;
}

void json_add_string(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
}

void json_add_number(cJSON *object, const char *key, double number)
{
    cJSON_AddNumberToObject(object, key, number);
}

void json_add_bool(cJSON *object, const char *key, bool value)
{
    cJSON_AddBoolToObject(object, key, value);
}

void json_put(cJSON *object, const char *key, cJSON *value)
{
    if (!value)
        return;
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    if (!cJSON_AddItemToObject(object, key, value))
        cJSON_Delete(value);
}

/* No deeper than what was parsed, or built by hand. */
static void wipe_texts(cJSON *value)
{
    for (; value; value = value->next) {
        if (value->valuestring && !(value->type & cJSON_IsReference))
            explicit_bzero(value->valuestring, strlen(value->valuestring));
        wipe_texts(value->child);
    }
}

size_t json_weigh(const cJSON *value)
{
    size_t bytes = sizeof *value;

    if (cJSON_IsString(value))
        bytes += strlen(value->valuestring);
    for (const cJSON *item = value ? value->child : NULL; item; item = item->next)
        bytes += json_weigh(item) + (item->string ? strlen(item->string) : 0);
    return bytes;
}

void json_wipe(cJSON *value)
{
    wipe_texts(value);
    cJSON_Delete(value);
}
