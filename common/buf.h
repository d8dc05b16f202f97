/*
 * A growable byte buffer with a maximum. The first failure (out of memory, or past the maximum)
 * poisons it: later appends do nothing, and buf_failed() says so once at the end. The contents are
 * always followed by a NUL that `len` does not count. The buffer owns its memory until buf_take().
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t cap;
    size_t max; /* most bytes it may hold, without the NUL */
    bool failed;
};

#define BUF_INIT(max_bytes) ((struct buf){.max = (max_bytes)})

void buf_init(struct buf *buf, size_t max);
void buf_free(struct buf *buf);

/* As buf_free(), and what it held is overwritten first: for secrets. What it left behind when it grew is
 * not; reserve enough before the first append. */
void buf_wipe(struct buf *buf);

/* Empties it, heals it, and keeps the memory. */
void buf_reset(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Makes room for `len` more bytes and returns where they go, or NULL when poisoned. */
char *buf_reserve(struct buf *buf, size_t len);

/* Says that `len` bytes were written where buf_reserve() pointed. */
void buf_commit(struct buf *buf, size_t len);

/* Drops the first `len` bytes. */
void buf_consume(struct buf *buf, size_t len);

/* The contents as a string; "" for an empty or poisoned buffer. Valid until the next change. */
const char *buf_text(const struct buf *buf);

bool buf_failed(const struct buf *buf);

/* The contents as a string for the caller to free, or NULL when poisoned. The buffer is empty
 * afterwards. */
char *buf_take(struct buf *buf);

static inline void cleanup_buf(struct buf *buf)
{
    buf_free(buf);
}

#define AUTO_BUF __attribute__((cleanup(cleanup_buf)))

static inline void cleanup_secret_buf(struct buf *buf)
{
    buf_wipe(buf);
}

#define AUTO_SECRET_BUF __attribute__((cleanup(cleanup_secret_buf)))

#endif
