#include "common/random.h"

#include <sys/random.h>

#define HEX_BYTES_MAX 32

void random_fill(void *bytes, size_t len)
{
    unsigned char *at = bytes;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

uint32_t random_u32(void)
{
    uint32_t value;

    random_fill(&value, sizeof value);
    return value;
}

void random_hex(char *out, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[HEX_BYTES_MAX];

    if (bytes > HEX_BYTES_MAX)
        bytes = HEX_BYTES_MAX;
    random_fill(raw, bytes);
    for (size_t i = 0; i < bytes; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[2 * bytes] = '\0';
}
