#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST_CAPACITY 128

void buf_init(struct buf *buf, size_t max)
{
    *buf = BUF_INIT(max);
}

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT(buf->max);
}

void buf_wipe(struct buf *buf)
{
    if (buf->data)
        explicit_bzero(buf->data, buf->cap);
    buf_free(buf);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

char *buf_reserve(struct buf *buf, size_t len)
{
    size_t needed, capacity;
    char *grown;

    if (buf->failed || len > buf->max || buf->len > buf->max - len) {
        buf->failed = true;
        return NULL;
    }
    needed = buf->len + len + 1;
    if (needed <= buf->cap)
        return buf->data + buf->len;
    capacity = buf->cap ? buf->cap : BUF_FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    /* Doubling past the maximum would waste what the owner said it will never need. */
    if (capacity > buf->max + 1)
        capacity = buf->max + 1;
    grown = realloc(buf->data, capacity);
    if (!grown) {
        buf->failed = true;
        return NULL;
    }
    buf->data = grown;
    buf->cap = capacity;
    return buf->data + buf->len;
}

void buf_commit(struct buf *buf, size_t len)
{
    if (buf->failed)
        return;
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    char *room = buf_reserve(buf, len);

    if (!room)
        return;
    if (len)
        memcpy(room, data, len);
    buf_commit(buf, len);
}

void buf_puts(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c)
{
    char *room = buf_reserve(buf, 1);

    if (!room)
        return;
    *room = c;
    buf_commit(buf, 1);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    char *room;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    room = buf_reserve(buf, (size_t)len);
    if (!room)
        return;
    vsnprintf(room, (size_t)len + 1, format, args);
    buf_commit(buf, (size_t)len);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_consume(struct buf *buf, size_t len)
{
    if (!buf->data)
        return;
    if (len > buf->len)
        len = buf->len;
    memmove(buf->data, buf->data + len, buf->len - len + 1);
    buf->len -= len;
}

const char *buf_text(const struct buf *buf)
{
    return buf->data && !buf->failed ? buf->data : "";
}

bool buf_failed(const struct buf *buf)
{
    return buf->failed;
}

char *buf_take(struct buf *buf)
{
    char *text;

    if (buf->failed || !buf_reserve(buf, 0)) {
        buf_free(buf);
        return NULL;
    }
    buf->data[buf->len] = '\0';
    text = buf->data;
    *buf = BUF_INIT(buf->max);
    return text;
}
