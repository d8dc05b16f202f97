/*
 * Where the certificates of the authorities that we trust are: SSL_CERT_FILE, else SSL_CERT_DIR,
 * else the system's bundle. They are decoded here and not by mbed TLS, whose decoder of base64 is
 * made for secrets and takes half of the time that a bundle costs. Private to net/.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "common/err.h"

#include <stddef.h>

#define TRUST_PATH_MAX 1024

/* One of the two is set, or none when this machine has no certificates. */
struct trust_place {
    char bundle[TRUST_PATH_MAX];
    char directory[TRUST_PATH_MAX]; /* of files with one certificate each */
};

/* Gets one certificate as DER. Returns 0 when it could be used. */
typedef int trust_fn(void *user, const unsigned char *der, size_t len);

/* `file` and `directory` are the two variables' values, or NULL. Opens nothing. */
void trust_locate(const char *file, const char *directory, struct trust_place *place);

/* Gives the place's certificates to `on_certificate`; what is none is passed over. The ERR_CONFIG
 * for a place that cannot be read, or without a single good certificate, says what to do. */
int trust_read(const struct trust_place *place, trust_fn *on_certificate, void *user,
               struct err *err);

#endif
