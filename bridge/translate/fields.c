#include "bridge/translate/fields.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/wtf8.h"

#include <stdlib.h>
#include <string.h>

/* JSON of a value that becomes text is only cut after printing; this bounds the printing. */
#define PRINTED_TEXT_MAX ((size_t)16 * 1024 * 1024)

static const char *id_within(const cJSON *object, const char *key, size_t max)
{
    const char *id = json_get_nonempty(object, key);

    return id && strnlen(id, max + 1) <= max ? id : NULL;
}

static bool optional_id_within(const cJSON *object, const char *key, size_t max, const char **id)
{
    *id = "";
    if (field_is_empty(json_get(object, key)))
        return true;
    *id = id_within(object, key, max);
    return *id != NULL;
}

const char *field_id(const cJSON *object, const char *key)
{
    return id_within(object, key, FIELD_ID_MAX);
}

bool field_optional_id(const cJSON *object, const char *key, const char **id)
{
    return optional_id_within(object, key, FIELD_ID_MAX, id);
}

bool field_call_id(const cJSON *part, const char **id)
{
    return optional_id_within(part, "callID", FIELD_CALL_ID_MAX, id);
}

const char *field_text(const cJSON *object, const char *key)
{
    const char *text = json_get_string(object, key);

    return text ? text : "";
}

bool field_is_empty(const cJSON *value)
{
    if (!value || cJSON_IsNull(value) || cJSON_IsFalse(value) || cJSON_IsInvalid(value))
        return true;
    if (cJSON_IsNumber(value))
        return value->valuedouble == 0;
    if (cJSON_IsString(value))
        return value->valuestring[0] == '\0';
    if (cJSON_IsObject(value) || cJSON_IsArray(value))
        return value->child == NULL;
    return false;
}

bool field_is_odd_object(const cJSON *object, const char *key)
{
    const cJSON *value = json_get(object, key);

    return value && !cJSON_IsObject(value) && !cJSON_IsNull(value);
}

/* No byte becomes more than this many in JSON: "\\u001b". */
#define ESCAPE_MAX 6
#define REPLACEMENT_LENGTH 3 /* U+FFFD, for a byte that is not UTF-8 */

/* The bytes of the character at `text`, and in `*printed` those of its JSON. */
static size_t measure(const char *text, size_t len, size_t *printed)
{
    unsigned char byte = (unsigned char)text[0];
    uint32_t code;
    size_t bytes;

    if (byte >= ' ' && byte < 0x80) {
        *printed = byte == '"' || byte == '\\' ? 2 : 1;
        return 1;
    }
    bytes = wtf8_decode(text, len, &code);
    if (bytes == 0)
        *printed = REPLACEMENT_LENGTH;
    else
        *printed = bytes > 1 && code != 0 && (code < 0xd800 || code > 0xdfff) ? bytes : ESCAPE_MAX;
    return bytes ? bytes : 1;
}

/* How many bytes of the text fit `max` bytes as they are and 2 * max as JSON. */
static size_t fitting_length(const char *text, size_t len, size_t max)
{
    size_t cut = wtf8_cut(text, len, max);
    size_t total = 0;
    size_t at = 0;

    if (cut <= 2 * max / ESCAPE_MAX)
        return cut;
    while (at < cut) {
        size_t printed;
        size_t bytes = measure(text + at, len - at, &printed);

        total += printed;
        if (total > 2 * max)
            return at;
        at += bytes;
    }
    return cut;
}

cJSON *field_cut_string(const char *text, size_t max)
{
    size_t len = strlen(text);
    size_t cut = fitting_length(text, len, max);
    AUTO_BUF struct buf out = BUF_INIT(max + sizeof(FIELD_CUT_MARK));

    if (cut == len)
        return cJSON_CreateString(text);
    buf_append(&out, text, cut);
    buf_puts(&out, FIELD_CUT_MARK);
    return buf_failed(&out) ? NULL : cJSON_CreateString(buf_text(&out));
}

char *field_to_text(const cJSON *value)
{
    AUTO_BUF struct buf printed = BUF_INIT(PRINTED_TEXT_MAX);
    AUTO_BUF struct buf out = BUF_INIT(FIELD_TEXT_MAX + sizeof(FIELD_CUT_MARK));
    const char *text;
    size_t len;
    size_t cut;

    if (!value || cJSON_IsNull(value))
        return NULL;
    if (!cJSON_IsString(value))
        json_print(value, &printed);
    text = cJSON_IsString(value) ? value->valuestring : buf_text(&printed);
    len = strlen(text);
    cut = fitting_length(text, len, FIELD_TEXT_MAX);
    buf_append(&out, text, cut);
    if (cut < len || buf_failed(&printed))
        buf_puts(&out, FIELD_CUT_MARK);
    return buf_take(&out);
}
