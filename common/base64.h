/*
 * Standard base64 with padding. Pure.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/buf.h"

/* Appends the encoded bytes. */
void base64_encode(const void *data, size_t len, struct buf *out);

/* Appends the decoded bytes of `text`, which may hold line breaks and blanks. -1 for anything else
 * that is no base64. Not for secrets: it takes longer for some bytes than for others. */
int base64_decode(const char *text, size_t len, struct buf *out);

#endif
