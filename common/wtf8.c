#include "common/wtf8.h"

static bool is_continuation(const char *text, size_t len, size_t count)
{
    if (count >= len)
        return false;
    for (size_t i = 1; i <= count; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

static uint32_t bits(char byte, unsigned mask)
{
    return (unsigned char)byte & mask;
}

size_t wtf8_decode(const char *text, size_t len, uint32_t *code)
{
    unsigned char lead = len ? (unsigned char)text[0] : 0xff;

    if (lead < 0x80) {
        *code = lead;
        return 1;
    }
    if (lead >= 0xc0 && lead < 0xe0 && is_continuation(text, len, 1)) {
        *code = bits(text[0], 0x1f) << 6 | bits(text[1], 0x3f);
        /* C0 80 is our U+0000; every other overlong form is no character. */
        return *code >= 0x80 || *code == 0 ? 2 : 0;
    }
    if (lead >= 0xe0 && lead < 0xf0 && is_continuation(text, len, 2)) {
        *code = bits(text[0], 0x0f) << 12 | bits(text[1], 0x3f) << 6 | bits(text[2], 0x3f);
        return *code >= 0x800 ? 3 : 0;
    }
    if (lead >= 0xf0 && lead < 0xf5 && is_continuation(text, len, 3)) {
        *code = bits(text[0], 0x07) << 18 | bits(text[1], 0x3f) << 12 | bits(text[2], 0x3f) << 6 |
                bits(text[3], 0x3f);
        return *code >= 0x10000 && *code <= 0x10ffff ? 4 : 0;
    }
    return 0;
}

size_t wtf8_encode(uint32_t code, char *out)
{
    if (code >= 0x10000) {
        out[0] = (char)(0xf0 | code >> 18);
        out[1] = (char)(0x80 | (code >> 12 & 0x3f));
        out[2] = (char)(0x80 | (code >> 6 & 0x3f));
        out[3] = (char)(0x80 | (code & 0x3f));
        return 4;
    }
    if (code >= 0x800) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    if (code >= 0x80 || code == 0) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    out[0] = (char)code;
    return 1;
}

size_t wtf8_cut(const char *text, size_t len, size_t max)
{
    if (len <= max)
        return len;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--;
    return max;
}

size_t wtf8_tail(const char *text, size_t len, size_t count)
{
    for (; len > 0 && count > 0; count--)
        len = wtf8_cut(text, len, len - 1);
    return len;
}
