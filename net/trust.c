#include "net/trust.h"

#include "common/base64.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"

#include <ctype.h>
#include <dirent.h>
#include <mbedtls/asn1.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BUNDLE_MAX_BYTES ((size_t)8 * 1024 * 1024)
#define CERTIFICATE_MAX_BYTES ((size_t)64 * 1024)
#define DER_SEQUENCE (MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE)
#define DER_VERSION (MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_ASN1_CONSTRUCTED | 0)

/* A piece of DER with its tag and length. */
struct der {
    const unsigned char *at;
    size_t len;
};

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

/* Goes to what follows the element at `*at`, which has to have that tag. */
static bool skip(unsigned char **at, const unsigned char *end, int tag)
{
    size_t len;

    if (mbedtls_asn1_get_tag(at, end, &len, tag) != 0)
        return false;
    *at += len;
    return true;
}

/* Certificate and TBSCertificate as of RFC 5280, 4.1, up to the subject; `whole` ends where the
 * certificate does. False for what is none. */
static bool find_subject(const unsigned char *begin, size_t len, struct der *whole,
                         struct der *subject)
{
    unsigned char *at = (unsigned char *)begin; /* mbed TLS does not write to it */
    const unsigned char *end = begin + len;
    size_t inner;

    if (mbedtls_asn1_get_tag(&at, end, &inner, DER_SEQUENCE) != 0)
        return false;
    end = at + inner;
    *whole = (struct der){begin, (size_t)(end - begin)};
    if (mbedtls_asn1_get_tag(&at, end, &inner, DER_SEQUENCE) != 0)
        return false;
    end = at + inner;
    skip(&at, end, DER_VERSION);
    if (!skip(&at, end, MBEDTLS_ASN1_INTEGER) /* serialNumber */ ||
        !skip(&at, end, DER_SEQUENCE) /* signature */ ||
        !skip(&at, end, DER_SEQUENCE) /* issuer */ || !skip(&at, end, DER_SEQUENCE) /* validity */)
        return false;
    subject->at = at;
    if (!skip(&at, end, DER_SEQUENCE))
        return false;
    subject->len = (size_t)(at - subject->at);
    return true;
}

static void take(struct trust *trust, const char *der, size_t len)
{
    struct der whole, subject;

    if (find_subject((const unsigned char *)der, len, &whole, &subject))
        buf_append(&trust->certificates, whole.at, whole.len);
}

static void take_blocks(struct trust *trust, const char *text)
{
    AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX_BYTES);

    while ((text = strstr(text, begin_mark)) != NULL) {
        const char *begin = text + strlen(begin_mark);
        const char *end = strstr(begin, end_mark);

        if (!end)
            break;
        buf_reset(&der);
        if (base64_decode(begin, (size_t)(end - begin), &der) == 0 && !buf_failed(&der))
            take(trust, der.data, der.len);
        text = end;
    }
}

/* A file with any number of certificates, or one as DER. */
static int read_file(struct trust *trust, const char *path, struct err *err)
{
    AUTO_BUF struct buf file = BUF_INIT(BUNDLE_MAX_BYTES);

    if (file_read(path, &file, err) != 0)
        return -1;
    if (file.len > 0 && file.data[0] == DER_SEQUENCE)
        take(trust, file.data, file.len);
    else
        take_blocks(trust, buf_text(&file));
    return 0;
}

static int read_directory(struct trust *trust, const char *path, struct err *err)
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
            read_file(trust, buf_text(&file), NULL);
    }
    closedir(directory);
    return 0;
}

int trust_read(struct trust *trust, const struct trust_place *place, struct err *err)
{
    bool is_bundle = *place->bundle;
    const char *path = is_bundle ? place->bundle : place->directory;
    const char *variable = is_bundle ? "SSL_CERT_FILE" : "SSL_CERT_DIR";
    int result;

    if (!*path)
        return err_set(err, ERR_CONFIG,
                       "no certificates of authorities were found: install the package "
                       "ca-certificates, or name a bundle in SSL_CERT_FILE");
    buf_init(&trust->certificates, BUNDLE_MAX_BYTES);
    result = is_bundle ? read_file(trust, path, err) : read_directory(trust, path, err);
    if (result == 0 && buf_failed(&trust->certificates))
        result = err_set(err, ERR_CONFIG, "%s holds too many", path);
    else if (result == 0 && trust->certificates.len == 0)
        result = err_set(err, ERR_CONFIG, "%s holds no usable certificate", path);
    if (result != 0) {
        trust_free(trust);
        return err_add_context(err, "certificates of authorities (%s)", variable);
    }
    return 0;
}

void trust_free(struct trust *trust)
{
    buf_free(&trust->certificates);
}

/* Names that differ in the case of letters, or in which of the two kinds of string they are written
 * as, are the same to mbed TLS (x509_name_cmp), and are equally long. */
static int folded(unsigned char c)
{
    return c == MBEDTLS_ASN1_UTF8_STRING ? MBEDTLS_ASN1_PRINTABLE_STRING : tolower(c);
}

static bool may_be_same_name(const struct der *name, const unsigned char *other, size_t len)
{
    if (name->len != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (folded(name->at[i]) != folded(other[i]))
            return false;
    }
    return true;
}

void trust_find(const struct trust *trust, const unsigned char *issuer, size_t len,
                trust_fn *on_certificate, void *user)
{
    const unsigned char *at = (const unsigned char *)trust->certificates.data;
    size_t left = trust->certificates.len;
    struct der whole, subject;

    while (left > 0 && find_subject(at, left, &whole, &subject)) {
        if (may_be_same_name(&subject, issuer, len))
            on_certificate(user, whole.at, whole.len);
        at += whole.len;
        left -= whole.len;
    }
}
