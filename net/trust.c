#include "net/trust.h"

#include "common/base64.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BUNDLE_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define CERTIFICATE_MAX_BYTES ((size_t)64 * 1024)
#define DER_SEQUENCE 0x30

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----";
static const char end_mark[] = "-----END CERTIFICATE-----";

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

static unsigned take_blocks(const char *text, trust_fn *on_certificate, void *user)
{
    AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX_BYTES);
    unsigned taken = 0;

    while ((text = strstr(text, begin_mark)) != NULL) {
        const char *begin = text + strlen(begin_mark);
        const char *end = strstr(begin, end_mark);

        if (!end)
            break;
        buf_reset(&der);
        if (base64_decode(begin, (size_t)(end - begin), &der) == 0 && !buf_failed(&der) &&
            der.len > 0 && on_certificate(user, (unsigned char *)der.data, der.len) == 0)
            taken++;
        text = end;
    }
    return taken;
}

/* A file with any number of certificates, or one as DER. */
static int read_file(const char *path, trust_fn *on_certificate, void *user, unsigned *taken,
                     struct err *err)
{
    AUTO_BUF struct buf file = BUF_INIT(BUNDLE_MAX_BYTES);

    if (file_read(path, &file, err) != 0)
        return -1;
    if (file.len > 0 && file.data[0] == DER_SEQUENCE)
        *taken += on_certificate(user, (unsigned char *)file.data, file.len) == 0;
    else
        *taken += take_blocks(buf_text(&file), on_certificate, user);
    return 0;
}

static int read_directory(const char *path, trust_fn *on_certificate, void *user, unsigned *taken,
                          struct err *err)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    if (!directory)
        return err_set(err, ERR_CONFIG, "%s cannot be opened", path);
    while ((entry = readdir(directory)) != NULL) {
        AUTO_BUF struct buf file = BUF_INIT(TRUST_PATH_MAX);

        if (entry->d_name[0] == '.')
            continue;
        buf_printf(&file, "%s/%s", path, entry->d_name);
        /* Sub-directories and the like are no errors. */
        if (!buf_failed(&file))
            read_file(buf_text(&file), on_certificate, user, taken, NULL);
    }
    closedir(directory);
    return 0;
}

int trust_read(const struct trust_place *place, trust_fn *on_certificate, void *user,
               struct err *err)
{
    bool is_bundle = *place->bundle;
    const char *path = is_bundle ? place->bundle : place->directory;
    const char *variable = is_bundle ? "SSL_CERT_FILE" : "SSL_CERT_DIR";
    unsigned taken = 0;
    int result;

    if (!*path)
        return err_set(err, ERR_CONFIG,
                       "no certificates of authorities were found: install the package "
                       "ca-certificates, or name a bundle in SSL_CERT_FILE");
    result = is_bundle ? read_file(path, on_certificate, user, &taken, err)
                       : read_directory(path, on_certificate, user, &taken, err);
    if (result != 0)
        return err_add_context(err, "certificates of authorities (%s)", variable);
    if (taken == 0)
        return err_set(err, ERR_CONFIG,
                       "certificates of authorities (%s): %s holds no usable certificate", variable,
                       path);
    return 0;
}
