/*
 * Text inside the process is WTF-8: UTF-8 that may also hold lone UTF-16 surrogates (ED A0..BF xx)
 * and U+0000 as C0 80, because OpenCode's JSON may (B-431). Pure.
 */
#ifndef COMMON_WTF8_H
#define COMMON_WTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the character that begins at `text`. Returns its bytes, or 0 when there is none. */
size_t wtf8_decode(const char *text, size_t len, uint32_t *code);

/* Writes up to four bytes; returns how many. U+0000 becomes C0 80. */
size_t wtf8_encode(uint32_t code, char *out);

static inline bool wtf8_is_high_surrogate(uint32_t code)
{
    return code >= 0xd800 && code <= 0xdbff;
}

static inline bool wtf8_is_low_surrogate(uint32_t code)
{
    return code >= 0xdc00 && code <= 0xdfff;
}

/* The character that a high and a low surrogate stand for. */
static inline uint32_t wtf8_join_surrogates(uint32_t high, uint32_t low)
{
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* The most bytes, up to `max`, that do not cut a character in two. */
size_t wtf8_cut(const char *text, size_t len, size_t max);

/* Where its last `count` characters begin. */
size_t wtf8_tail(const char *text, size_t len, size_t count);

#endif
