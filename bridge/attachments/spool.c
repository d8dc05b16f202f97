#include "bridge/attachments/spool.h"

#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Above any piece that comes from a socket, encoded. */
#define TEXT_MAX_BYTES ((size_t)1024 * 1024)

int spool_open(struct spool *spool, const char *directory, struct err *err)
{
    char path[PATH_MAX];

    *spool = (struct spool){.fd = -1, .text = BUF_INIT(TEXT_MAX_BYTES)};
    if ((size_t)snprintf(path, sizeof path, "%s/oi-attachment-XXXXXX", directory) >= sizeof path)
        return err_set(err, ERR_LIMIT, "the path of the temporary directory is too long");
    spool->fd = mkostemp(path, O_CLOEXEC);
    if (spool->fd < 0)
        return err_set_sys(err, errno, "make a file in %s for an attachment", directory);
    unlink(path);
    return 0;
}

static int flush(struct spool *spool, struct err *err)
{
    if (buf_failed(&spool->text))
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (file_write_all(spool->fd, spool->text.data, spool->text.len) != 0)
        return err_set_sys(err, errno, "write an attachment to the temporary directory");
    spool->len += spool->text.len;
    buf_reset(&spool->text);
    return 0;
}

int spool_write(struct spool *spool, const void *data, size_t len, struct err *err)
{
    const char *bytes = data;

    for (size_t i = 0; i < len && spool->head_len < sizeof spool->head; i++)
        spool->head[spool->head_len++] = bytes[i];
    spool->bytes += len;
    base64_encoder_feed(&spool->encoder, data, len, &spool->text);
    return flush(spool, err);
}

int spool_finish(struct spool *spool, struct err *err)
{
    int result;

    base64_encoder_end(&spool->encoder, &spool->text);
    result = flush(spool, err);
    buf_free(&spool->text);
    return result;
}

int spool_read(const struct spool *spool, size_t offset, char *into, size_t len, struct err *err)
{
    while (len > 0) {
        ssize_t got = pread(spool->fd, into, len, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set_sys(err, errno, "read an attachment from the temporary directory");
        if (got == 0)
            return err_set(err, ERR_IO, "an attachment's temporary file is shorter than it was");
        into += got;
        offset += (size_t)got;
        len -= (size_t)got;
    }
    return 0;
}

void spool_close(struct spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    buf_free(&spool->text);
}
