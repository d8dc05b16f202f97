#include "bridge/diff/diff_text.h"

#include "common/wtf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define REPLACEMENT 0xfffd
#define FIRST_ESCAPING_SURROGATE 0xdc00 /* plus the byte */
#define CHARACTER_MAX_BYTES 4
#define ESCAPED_MAX_BYTES 12 /* two surrogates */

/* ---- bytes to text ---- */

struct lead {
    unsigned char first, last;             /* of the first byte */
    unsigned char second_low, second_high; /* what may follow it */
    unsigned char length;
};

/* All there is in UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. */
static const struct lead LEADS[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < sizeof LEADS / sizeof LEADS[0]; i++) {
        if (byte >= LEADS[i].first && byte <= LEADS[i].last)
            return &LEADS[i];
    }
    return NULL;
}

/* How many bytes at `text` belong together; `*good`: they are a character. */
static size_t take_character(const unsigned char *text, size_t len, bool *good)
{
    const struct lead *lead = find_lead(text[0]);
    size_t taken = 1;

    *good = lead && lead->length == 1;
    if (!lead || lead->length == 1)
        return 1;
    while (taken < lead->length && taken < len) {
        unsigned char low = taken == 1 ? lead->second_low : 0x80;
        unsigned char high = taken == 1 ? lead->second_high : 0xbf;

        if (text[taken] < low || text[taken] > high)
            return taken;
        taken++;
    }
    *good = taken == lead->length;
    return taken;
}

static void append_code(uint32_t code, struct buf *out)
{
    char character[CHARACTER_MAX_BYTES];

    buf_append(out, character, wtf8_encode(code, character));
}

static void decode(const char *bytes, size_t len, bool is_path, struct buf *out)
{
    const unsigned char *text = (const unsigned char *)bytes;
    size_t at = 0, good_from = 0;

    while (at < len) {
        bool good;
        size_t taken = take_character(text + at, len - at, &good);

        if (good) {
            at += taken;
            continue;
        }
        buf_append(out, bytes + good_from, at - good_from);
        if (!is_path)
            append_code(REPLACEMENT, out);
        for (size_t i = 0; is_path && i < taken; i++)
            append_code(FIRST_ESCAPING_SURROGATE + text[at + i], out);
        at += taken;
        good_from = at;
    }
    buf_append(out, bytes + good_from, at - good_from);
}

void diff_text_decode(const char *bytes, size_t len, struct buf *out)
{
    decode(bytes, len, false, out);
}

void diff_text_decode_path(const char *bytes, size_t len, struct buf *out)
{
    decode(bytes, len, true, out);
}

/* ---- text to JSON ---- */

static bool is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

/* The character at `text`, which is not plain, as an escape; returns its bytes. */
static size_t escape(const char *text, size_t len, char out[ESCAPED_MAX_BYTES + 1], size_t *printed)
{
    static const char short_escapes[] = {['"'] = '"',  ['\\'] = '\\', ['\n'] = 'n', ['\r'] = 'r',
                                         ['\t'] = 't', ['\b'] = 'b',  ['\f'] = 'f'};
    uint32_t code = REPLACEMENT;
    size_t bytes = *text == '\0' ? 1 : wtf8_decode(text, len, &code);
    int count;

    if (*text == '\0')
        code = 0;
    if (code < sizeof short_escapes && short_escapes[code])
        count = snprintf(out, ESCAPED_MAX_BYTES + 1, "\\%c", short_escapes[code]);
    else if (code >= 0x10000)
        count = snprintf(out, ESCAPED_MAX_BYTES + 1, "\\u%04x\\u%04x",
                         (unsigned)(0xd800 + ((code - 0x10000) >> 10)),
                         (unsigned)(0xdc00 + ((code - 0x10000) & 0x3ff)));
    else
        count = snprintf(out, ESCAPED_MAX_BYTES + 1, "\\u%04x", (unsigned)code);
    *printed = (size_t)count;
    return bytes ? bytes : 1;
}

/* `out` NULL: only the length is wanted. */
static size_t print(const char *text, size_t len, struct buf *out)
{
    char escaped[ESCAPED_MAX_BYTES + 1];
    size_t at = 0, total = 0, printed;

    while (at < len) {
        size_t plain = at;

        while (plain < len && is_plain(text[plain]))
            plain++;
        if (out)
            buf_append(out, text + at, plain - at);
        total += plain - at;
        at = plain;
        if (at == len)
            break;
        at += escape(text + at, len - at, escaped, &printed);
        if (out)
            buf_append(out, escaped, printed);
        total += printed;
    }
    return total;
}

void diff_text_print(const char *text, size_t len, struct buf *out)
{
    buf_putc(out, '"');
    print(text, len, out);
    buf_putc(out, '"');
}

size_t diff_text_printed_length(const char *text, size_t len)
{
    return print(text, len, NULL) + 2;
}
