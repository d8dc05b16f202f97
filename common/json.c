#include "common/json.h"

#include "common/wtf8.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE_LEN 6 /* \uXXXX */

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

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* Eight at a time: the first that does not stand for itself has its highest bit set, or gets it by a
 * subtraction, which changes none below. */
size_t json_plain_length(const char *text, size_t len)
{
    const uint64_t ones = UINT64_MAX / UINT8_MAX, highest_bits = ones << 7;
    size_t at = 0;
    uint64_t word, found;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        word = le64toh(word);
        found = highest_bits & (word | (word - ones * ' ') | ((word ^ ones * '"') - ones) |
                                ((word ^ ones * '\\') - ones));
        if (found)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
    while (at < len && is_plain((unsigned char)text[at]))
        at++;
    return at;
}

/* Copies a string, from behind its opening quote to behind the closing one or to the end. */
static void rewrite_string(const char **from, const char *end, char **to)
{
    const char *in = *from;
    char *out = *to, c = '\0';

    while (in < end && c != '"') {
        size_t plain = json_plain_length(in, (size_t)(end - in));

        if (out != in)
            memmove(out, in, plain);
        in += plain;
        out += plain;
        if (in == end)
            break;
        c = *in;
        if (c == '\\') {
            copy_escape(&in, end, &out);
        } else {
            *out++ = c;
            in++;
        }
    }
    *from = in;
    *to = out;
}

/* Rewrites escapes in place (never longer) and bounds the nesting. The new length, or -1. */
static ptrdiff_t rewrite(char *text, size_t len)
{
    const char *in = text, *end = text + len;
    char *out = text;
    unsigned depth = 0;

    while (in < end) {
        char c = *in++;

        *out++ = c;
        if (c == '"')
            rewrite_string(&in, end, &out);
        else if ((c == '{' || c == '[') && ++depth > JSON_DEPTH_MAX)
            return -1;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
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

/* As cJSON's own, which calls strcmp() for every member on the way. */
cJSON *json_get(const cJSON *object, const char *key)
{
    cJSON *member = cJSON_IsObject(object) ? object->child : NULL;

    while (member &&
           (!member->string || member->string[0] != key[0] || strcmp(member->string, key) != 0))
        member = member->next;
    return member;
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
    if (json_get(object, key))
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
