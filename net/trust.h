/*
 * Where the certificates of the authorities that we trust are: SSL_CERT_FILE, else SSL_CERT_DIR,
 * else the system's bundle. A bundle is parsed by mbed TLS itself, which leaves out what it cannot
 * parse; libwebsockets' own way of loading one would refuse them all for one bad entry. Private to
 * net/.
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

/* Gets one good certificate as DER. */
typedef void trust_fn(void *user, const unsigned char *der, size_t len);

/* `file` and `directory` are the two variables' values, or NULL. Opens nothing. */
void trust_locate(const char *file, const char *directory, struct trust_place *place);

/* The bundle can be read and holds a certificate. Like the next, an ERR_CONFIG says what to set or
 * install. */
int trust_check_bundle(const struct trust_place *place, struct err *err);

/* Gives the directory's certificates to `on_certificate`. */
int trust_read_directory(const struct trust_place *place, trust_fn *on_certificate, void *user,
                         struct err *err);

#endif
