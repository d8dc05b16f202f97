#include "net/trust.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"

#include <dirent.h>
#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#define BUNDLE_MAX_BYTES ((size_t)8 * 1024 * 1024)

static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine, the BSDs */
};

void trust_locate(const char *file, const char *directory, struct trust_place *place)
{
    *place = (struct trust_place){0};
    if (file) {
        snprintf(place->bundle, sizeof(place->bundle), "%s", file);
        return;
    }
    if (directory) {
        /* Debian's directory holds each certificate three times: alone, by hash, and in this. */
        snprintf(place->bundle, sizeof(place->bundle), "%s/ca-certificates.crt", directory);
        if (file_exists(place->bundle))
            return;
        place->bundle[0] = '\0';
        snprintf(place->directory, sizeof(place->directory), "%s", directory);
        return;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(system_bundles); i++) {
        if (file_exists(system_bundles[i])) {
            strcpy(place->bundle, system_bundles[i]);
            return;
        }
    }
}

/* The bundle's parser does not say that it found nothing. */
int trust_check_bundle(const struct trust_place *place, struct err *err)
{
    AUTO_BUF struct buf bundle = BUF_INIT(BUNDLE_MAX_BYTES);
    const char *path = place->bundle;

    if (!*path)
        return err_set(err, ERR_CONFIG,
                       "no certificates of authorities were found: install the package "
                       "ca-certificates, or name a bundle in SSL_CERT_FILE");
    if (file_read(path, &bundle, err) != 0)
        return err_add_context(err, "certificates of authorities (SSL_CERT_FILE)");
    if (!strstr(buf_text(&bundle), "-----BEGIN CERTIFICATE-----"))
        return err_set(err, ERR_CONFIG,
                       "certificates of authorities (SSL_CERT_FILE): %s holds no certificate",
                       path);
    return 0;
}

static unsigned read_file(const char *path, trust_fn *on_certificate, void *user)
{
    AUTO_BUF struct buf file = BUF_INIT(BUNDLE_MAX_BYTES);
    mbedtls_x509_crt certificate;
    unsigned taken = 0;

    if (file_read(path, &file, NULL) != 0 || file.len == 0)
        return 0;
    mbedtls_x509_crt_init(&certificate);
    /* A NUL that counts marks PEM. */
    if (mbedtls_x509_crt_parse(&certificate, (const unsigned char *)buf_text(&file),
                               file.len + 1) >= 0) {
        for (const mbedtls_x509_crt *one = &certificate; one && one->raw.p; one = one->next) {
            on_certificate(user, one->raw.p, one->raw.len);
            taken++;
        }
    }
    mbedtls_x509_crt_free(&certificate);
    return taken;
}

int trust_read_directory(const struct trust_place *place, trust_fn *on_certificate, void *user,
                         struct err *err)
{
    const char *path = place->directory;
    DIR *directory = opendir(path);
    struct dirent *entry;
    unsigned taken = 0;

    if (!directory)
        return err_set(err, ERR_CONFIG, "SSL_CERT_DIR: %s cannot be opened", path);
    while ((entry = readdir(directory)) != NULL) {
        AUTO_BUF struct buf file = BUF_INIT(TRUST_PATH_MAX);

        if (entry->d_name[0] == '.')
            continue;
        buf_printf(&file, "%s/%s", path, entry->d_name);
        /* What is no certificate (a read-me, a sub-directory) is passed over. */
        if (!buf_failed(&file))
            taken += read_file(buf_text(&file), on_certificate, user);
    }
    closedir(directory);
    if (taken == 0)
        return err_set(err, ERR_CONFIG, "SSL_CERT_DIR: %s holds no certificate", path);
    return 0;
}
