/*
 * Standard base64 with padding, on one line. Pure.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/buf.h"

/* Appends the encoded bytes. */
void base64_encode(const void *data, size_t len, struct buf *out);

#endif
