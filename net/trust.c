#include "net/trust.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"

#include <dirent.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

#define BUNDLE_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define PATH_MAX_BYTES 4096

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----";
static const char end_mark[] = "-----END CERTIFICATE-----";

static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/ssl/cert.pem",                                 /* Alpine, the BSDs */
};

struct reading {
    trust_fn *on_certificate;
    void *user;
    struct trust_result *result;
};

/* `pem` is one block, `pem[len]` is a NUL that mbed TLS wants counted. */
static void take_certificate(struct reading *reading, const char *pem, size_t len)
{
    mbedtls_x509_crt certificate;

    mbedtls_x509_crt_init(&certificate);
    if (mbedtls_x509_crt_parse(&certificate, (const unsigned char *)pem, len + 1) == 0) {
        reading->on_certificate(reading->user, certificate.raw.p, certificate.raw.len);
        reading->result->taken++;
    } else {
        reading->result->bad++;
    }
    mbedtls_x509_crt_free(&certificate);
}

static int read_bundle(struct reading *reading, const char *path, struct err *err)
{
    AUTO_BUF struct buf bundle = BUF_INIT(BUNDLE_MAX_BYTES);
    char *block;

    if (file_read(path, &bundle, err) != 0)
        return -1;
    block = bundle.data;
    while (block && (block = strstr(block, begin_mark)) != NULL) {
        char *end = strstr(block, end_mark);
        char after;

        if (!end)
            break;
        end += strlen(end_mark);
        after = *end;
        *end = '\0';
        take_certificate(reading, block, (size_t)(end - block));
        *end = after;
        block = end;
    }
    return 0;
}

static int read_directory(struct reading *reading, const char *path, struct err *err)
{
    AUTO_BUF struct buf bundle = BUF_INIT(PATH_MAX_BYTES);
    struct dirent *entry;
    DIR *directory;

    /* Debian's directory holds each certificate three times: alone, by hash, and in this bundle. */
    buf_printf(&bundle, "%s/ca-certificates.crt", path);
    if (!buf_failed(&bundle) && read_bundle(reading, buf_text(&bundle), NULL) == 0)
        return 0;
    directory = opendir(path);
    if (!directory)
        return err_set(err, ERR_CONFIG, "the directory cannot be opened");
    while ((entry = readdir(directory)) != NULL) {
        AUTO_BUF struct buf file = BUF_INIT(PATH_MAX_BYTES);

        if (entry->d_name[0] == '.')
            continue;
        buf_printf(&file, "%s/%s", path, entry->d_name);
        /* Such directories also hold links by hash to the same files, sub-directories and read-me
         * files: what cannot be read is not an error. */
        if (!buf_failed(&file))
            read_bundle(reading, buf_text(&file), NULL);
    }
    closedir(directory);
    return 0;
}

int trust_read(const char *file, const char *directory, trust_fn *on_certificate, void *user,
               struct trust_result *result, struct err *err)
{
    struct reading reading = {on_certificate, user, result};

    *result = (struct trust_result){0};
    if (file) {
        if (read_bundle(&reading, file, err) != 0)
            return err_add_context(err, "SSL_CERT_FILE");
        if (result->taken == 0)
            return err_set(err, ERR_CONFIG, "SSL_CERT_FILE: %s holds no certificate", file);
        return 0;
    }
    if (directory) {
        if (read_directory(&reading, directory, err) != 0)
            return err_add_context(err, "SSL_CERT_DIR: %s", directory);
        if (result->taken == 0)
            return err_set(err, ERR_CONFIG, "SSL_CERT_DIR: %s holds no certificate", directory);
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(system_bundles); i++) {
        if (read_bundle(&reading, system_bundles[i], NULL) == 0 && result->taken > 0)
            return 0;
    }
    return err_set(err, ERR_CONFIG,
                   "no certificates of authorities were found: install the package "
                   "ca-certificates, or name a bundle in SSL_CERT_FILE");
}
