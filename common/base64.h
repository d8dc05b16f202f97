/*
 * Standard base64 with padding. Pure.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include "common/buf.h"

#define BASE64_GROUP_BYTES 3

/* The bytes of a group that is not whole yet; zero-initialised. */
struct base64_encoder {
    unsigned char rest[BASE64_GROUP_BYTES];
    size_t count;
};

/* Appends the encoded bytes, on one line. */
void base64_encode(const void *data, size_t len, struct buf *out);

/* The same piece by piece: the last group comes with base64_encoder_end(). */
void base64_encoder_feed(struct base64_encoder *encoder, const void *data, size_t len,
                         struct buf *out);
void base64_encoder_end(struct base64_encoder *encoder, struct buf *out);

/* Appends the decoded bytes of `text`, which may hold line breaks and blanks. -1 for anything else
 * that is no base64. Not for secrets: it takes longer for some bytes than for others. */
int base64_decode(const char *text, size_t len, struct buf *out);

#endif
