/*
 * What a byte is in ASCII, whatever the locale says. Pure; bytes of 0x80 and above are none of these.
 */
#ifndef COMMON_ASCII_H
#define COMMON_ASCII_H

#include <stdbool.h>
#include <stdint.h>

#define ASCII_DELETE 0x7f

/* A control character: what would steer a terminal, or end a line or a header. Takes a code point, or
 * a byte as unsigned char. */
static inline bool ascii_is_control(uint32_t c)
{
    return c < ' ' || c == ASCII_DELETE;
}

#endif
