/*
 * Randomness from the kernel. Pure code gets it as an argument and never calls this.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `bytes`. Does not fail after boot: getrandom(2) is retried on EINTR. */
void random_fill(void *bytes, size_t len);
uint32_t random_u32(void);

/* Writes 2 * bytes lower-case hex digits and a NUL to `out`. `bytes` is at most 32. */
void random_hex(char *out, size_t bytes);

#endif
