#include "common/trim.h"

#include "common/wtf8.h"

#include <stdint.h>
#include <string.h>

#define CHARACTER_MAX 4 /* bytes */

/* str.isspace(): Unicode's White_Space and the four separators of ASCII. */
static bool is_blank(uint32_t code)
{
    return (code >= 0x09 && code <= 0x0d) || (code >= 0x1c && code <= 0x20) || code == 0x85 ||
           code == 0xa0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

/* The bytes of the character at `text`, and what it is. A byte that begins none counts as one. */
static size_t see_character(const char *text, bool *blank)
{
    uint32_t code = 0;
    size_t size = wtf8_decode(text, strnlen(text, CHARACTER_MAX), &code);

    *blank = size > 0 && is_blank(code);
    return size > 0 ? size : 1;
}

const char *trim_both(const char *text, size_t *len)
{
    const char *begin, *end;
    bool blank = true;

    while (*text && blank) {
        size_t size = see_character(text, &blank);

        text += blank ? size : 0;
    }
    begin = end = text;
    while (*text) {
        text += see_character(text, &blank);
        end = blank ? end : text;
    }
    *len = (size_t)(end - begin);
    return begin;
}

char *trim_copy(const char *text)
{
    size_t len = 0;

    if (text)
        text = trim_both(text, &len);
    return len > 0 ? strndup(text, len) : NULL;
}

bool trim_has_blank(const char *text)
{
    bool blank = false;

    while (*text && !blank)
        text += see_character(text, &blank);
    return blank;
}
