#include "common/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* 0..63, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
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
    uint32_t group = 0;
    unsigned digits = 0;
    unsigned padding = 0;

    for (size_t at = 0; at < len; at++) {
        int value = value_of(text[at]);

        if (is_blank(text[at]))
            continue;
        if (text[at] == '=' && ++padding <= 2)
            value = 0;
        else if (value < 0 || padding > 0)
            return -1;
        group = group << 6 | (uint32_t)value;
        if (++digits == 4) {
            char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};

            buf_append(out, bytes, 3 - padding);
            digits = 0;
        }
    }
    return digits == 0 ? 0 : -1;
}
