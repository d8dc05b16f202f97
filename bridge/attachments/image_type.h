/*
 * The kinds of image that may be attached, by name and by their first bytes. Pure.
 */
#ifndef BRIDGE_ATTACHMENTS_IMAGE_TYPE_H
#define BRIDGE_ATTACHMENTS_IMAGE_TYPE_H

#include <stddef.h>

/* So many first bytes tell every kind. */
#define IMAGE_TYPE_HEAD_BYTES 12

/* The static text for this MIME type, or NULL when it is not one of the four (B-702). */
const char *image_type_known(const char *mime);

/* What the bytes are, as one of those texts, or NULL for something else (D-43). */
const char *image_type_detect(const void *head, size_t len);

#endif
