/*
 * Which CA certificates HTTPS trusts. As git does: GIT_SSL_CAINFO, else http.<url>.sslCAInfo or
 * http.sslCAInfo from the configuration, else what OpenSSL programs read (SSL_CERT_FILE,
 * SSL_CERT_DIR), else the system's bundle (S-46). Nothing turns checking off: http.sslVerify and
 * GIT_SSL_NO_VERIFY are ignored (S-48).
 */
#ifndef GIT_CA_BUNDLE_H
#define GIT_CA_BUNDLE_H

#include "common/err.h"

struct git_repository;

/* Loads them for `url`, reading the repository's configuration (which has the user's and the
 * system's in it). A file that was asked for and cannot be used is an ERR_CONFIG that names who
 * asked. */
int ca_bundle_load(struct git_repository *repository, const char *url, struct err *err);

/* Where the trusted certificates came from, for error texts; never NULL. */
const char *ca_bundle_in_use(void);

/* Sets the variables by which the git program trusts what we do: it does not know SSL_CERT_FILE. */
void ca_bundle_export(const char *path, const char *url);

#endif
