#include "common/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define DECODED_AT_ONCE ((size_t)256 * BASE64_GROUP_BYTES)

/* 0..63, or -1; for '+' to 'z'. A table, because a bundle of certificates is 200 KB of it. */
static const signed char values['z' - '+' + 1] = {
    62, -1, -1, -1, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1,
    -1, -1, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
};

static int value_of(char c)
{
    unsigned at = (unsigned char)c - (unsigned)'+';

    return at < sizeof(values) ? values[at] : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void base64_encode(const void *data, size_t len, struct buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;

    for (size_t at = 0; at < len; at += 3) {
        size_t left = len - at;
        uint32_t group = (uint32_t)in[at] << 16 | (left > 1 ? (uint32_t)in[at + 1] << 8 : 0) |
                         (left > 2 ? in[at + 2] : 0);
        char quad[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        left > 1 ? digits[group >> 6 & 63] : '=',
                        left > 2 ? digits[group & 63] : '='};

        buf_append(out, quad, sizeof quad);
    }
}

void base64_encoder_feed(struct base64_encoder *encoder, const void *data, size_t len,
                         struct buf *out)
{
    const uint8_t *in = data;
    size_t whole;

    while (encoder->count > 0 && encoder->count < BASE64_GROUP_BYTES && len > 0) {
        encoder->rest[encoder->count++] = *in++;
        len--;
    }
    if (encoder->count == BASE64_GROUP_BYTES)
        base64_encoder_end(encoder, out);
    whole = len - len % BASE64_GROUP_BYTES;
    base64_encode(in, whole, out);
    if (len > whole) {
        memcpy(encoder->rest + encoder->count, in + whole, len - whole);
        encoder->count += len - whole;
    }
}

void base64_encoder_end(struct base64_encoder *encoder, struct buf *out)
{
    base64_encode(encoder->rest, encoder->count, out);
    encoder->count = 0;
}

int base64_decode(const char *text, size_t len, struct buf *out)
{
    char bytes[DECODED_AT_ONCE];
    size_t filled = 0;
    uint32_t group = 0;
    unsigned digits = 0;
    unsigned padding = 0;

    for (size_t at = 0; at < len; at++) {
        int value = value_of(text[at]);

        if (value < 0 || padding > 0) {
            if (is_blank(text[at]))
                continue;
            if (text[at] != '=' || ++padding > 2)
                return -1;
            value = 0;
        }
        group = group << 6 | (uint32_t)value;
        if (++digits < 4)
            continue;
        digits = 0;
        bytes[filled++] = (char)(group >> 16);
        bytes[filled++] = (char)(group >> 8);
        bytes[filled++] = (char)group;
        if (filled == sizeof(bytes)) {
            buf_append(out, bytes, filled - padding);
            filled = 0;
        }
    }
    buf_append(out, bytes, filled ? filled - padding : 0);
    return digits == 0 ? 0 : -1;
}
