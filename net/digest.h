/*
 * SHA-256, from mbed TLS. Pure.
 */
#ifndef NET_DIGEST_H
#define NET_DIGEST_H

#include <stddef.h>

#define DIGEST_SHA256_BYTES 32

void digest_sha256(const void *data, size_t len, unsigned char out[DIGEST_SHA256_BYTES]);

#endif
