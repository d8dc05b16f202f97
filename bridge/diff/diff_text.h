/*
 * Texts of a diff bundle. What git hands out is bytes; a bundle is JSON in ASCII (B-1025), and limits
 * count what stands there. Inside the process texts are WTF-8 (common/wtf8.h), but may hold NULs.
 * Pure.
 */
#ifndef BRIDGE_DIFF_DIFF_TEXT_H
#define BRIDGE_DIFF_DIFF_TEXT_H

#include "common/buf.h"

/* A patch: what is no UTF-8 becomes U+FFFD, one for each beginning of a character that is cut short,
 * as most decoders do it (B-1021). */
void diff_text_decode(const char *bytes, size_t len, struct buf *out);

/* A path: each byte that is no UTF-8 becomes a lone surrogate U+DC80..U+DCFF, from which it can be
 * told again (B-1022). */
void diff_text_decode_path(const char *bytes, size_t len, struct buf *out);

/* Appends a decoded text as a JSON string with its quotes, in ASCII. */
void diff_text_print(const char *text, size_t len, struct buf *out);

/* How many bytes diff_text_print() appends. */
size_t diff_text_printed_length(const char *text, size_t len);

#endif
