/*
 * The certificates of the authorities that we trust, from the places where users and systems keep
 * them. Each is parsed alone first, so that one bad entry in a bundle does not cost the others
 * (libwebsockets would refuse them all). Private to net/.
 */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "common/err.h"

#include <stddef.h>

/* Gets one good certificate as DER. */
typedef void trust_fn(void *user, const unsigned char *der, size_t len);

struct trust_result {
    unsigned taken;
    unsigned bad; /* left out */
};

/*
 * Reads `file` (SSL_CERT_FILE) when it is not NULL, else all files of `directory` (SSL_CERT_DIR)
 * when it is not NULL, else the first system bundle that exists. An ERR_CONFIG names the place and
 * what to set when it cannot be read or holds no certificate.
 */
int trust_read(const char *file, const char *directory, trust_fn *on_certificate, void *user,
               struct trust_result *result, struct err *err);

#endif
