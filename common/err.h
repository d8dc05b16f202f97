/*
 * Errors that a person can act on. A failing function returns -1 and fills the caller's struct err;
 * each layer on the way out adds what it was doing: "clone acme/app: fetch: certificate rejected".
 * The struct owns no memory and may be copied. NULL is accepted everywhere: the text is then lost.
 * Texts may hold secrets that a peer echoed; they are redacted where they leave the process (log.h).
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdarg.h>

enum err_class {
    ERR_NONE,
    ERR_CONFIG,    /* a value given by the user or the launcher is bad */
    ERR_IO,        /* the operating system said no; see sys */
    ERR_NETWORK,   /* could not connect, or the connection broke */
    ERR_TIMEOUT,   /* nothing came within the limit */
    ERR_TLS,       /* the peer's certificate or handshake was rejected */
    ERR_AUTH,      /* the peer rejected our credentials */
    ERR_NOT_FOUND, /* the thing named does not exist there */
    ERR_PROTOCOL,  /* the peer sent what we cannot use */
    ERR_LIMIT,     /* a bound of ours was reached */
    ERR_CANCELLED, /* somebody asked us to stop */
    ERR_NO_MEMORY,
    ERR_INTERNAL, /* our own mistake */
    ERR_CLASS_COUNT
};

#define ERR_TEXT_MAX 1024

struct err {
    enum err_class class;
    int sys; /* errno, or 0 */
    char text[ERR_TEXT_MAX];
};

/* Sets the error. Always returns -1, so that `return err_set(...)` reads well. */
int err_set(struct err *err, enum err_class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with class ERR_IO (ERR_NO_MEMORY for ENOMEM); appends ": " and strerror(sys). */
int err_set_sys(struct err *err, int sys, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<context>: " before the text. Always returns -1. Class and errno stay. */
int err_add_context(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forgets the error. */
void err_clear(struct err *err);

/* "config", "network", ...: stable words for logs (`error_type`) and for worker messages. */
const char *err_class_name(enum err_class class);

/* The inverse of err_class_name; ERR_INTERNAL for a word that is none. */
enum err_class err_class_parse(const char *name);

#endif
