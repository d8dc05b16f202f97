/*
 * The certificates of the authorities that we trust: where they are (SSL_CERT_FILE, else
 * SSL_CERT_DIR, else the system's bundle), and those among them that a chain asks for. A system has
 * 140, a chain needs one: they are kept as DER and parsed by whom they are given to. They are decoded
 * here and not by mbed TLS, whose decoder of base64 is made for secrets and slow. A struct trust owns
 * its memory, about 140 KB. Private to net/.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

#define TRUST_PATH_MAX 1024

/* One of the two is set, or none when this machine has no certificates. */
struct trust_place {
    char bundle[TRUST_PATH_MAX];
    char directory[TRUST_PATH_MAX]; /* of files with one certificate each */
};

/* `file` and `directory` are the two variables' values, or NULL. Opens nothing. */
void trust_locate(const char *file, const char *directory, struct trust_place *place);

struct trust {
    struct buf certificates; /* as DER, one after the other */
};

/* Reads all certificates of `place` into `trust`, which is empty; what is none is passed over. The
 * ERR_CONFIG for a place that cannot be read, or without a single certificate, says what to do. */
int trust_read(struct trust *trust, const struct trust_place *place, struct err *err);
void trust_free(struct trust *trust);

/* Gets one certificate as DER. */
typedef void trust_fn(void *user, const unsigned char *der, size_t len);

/* Gives `on_certificate` those whose subject may be the `issuer` (a Name as DER): all that mbed TLS
 * takes for the same name, and perhaps more. */
void trust_find(const struct trust *trust, const unsigned char *issuer, size_t len,
                trust_fn *on_certificate, void *user);

#endif
