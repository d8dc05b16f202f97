/*
 * The contents of one attachment as base64, in a file without a name: six images of 10 MiB need no
 * memory of ours that way, and nothing is left behind by a crash (D-43). Written once, then read.
 */
#ifndef BRIDGE_ATTACHMENTS_SPOOL_H
#define BRIDGE_ATTACHMENTS_SPOOL_H

#include "bridge/attachments/image_type.h"
#include "common/base64.h"
#include "common/err.h"

struct spool {
    int fd; /* -1: closed */
    struct base64_encoder encoder;
    struct buf text; /* encoded, not written yet */
    char head[IMAGE_TYPE_HEAD_BYTES];
    size_t head_len;
    size_t bytes; /* of the contents so far */
    size_t len;   /* of the base64 text in the file */
};

/* `directory` must be writable. */
int spool_open(struct spool *spool, const char *directory, struct err *err);

int spool_write(struct spool *spool, const void *data, size_t len, struct err *err);

/* After the last byte. */
int spool_finish(struct spool *spool, struct err *err);

/* Reads exactly `len` bytes of the text from `offset` on. */
int spool_read(const struct spool *spool, size_t offset, char *into, size_t len, struct err *err);

/* A zeroed one has to get fd -1 first; a closed one may be closed again. */
void spool_close(struct spool *spool);

#endif
