/* Certificates of authorities: which ones are found for an issuer. The DER is made here. */
#include "net/trust.h"

#include "common/base64.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#define ROOM 4096

struct found {
    unsigned count;
    struct buf last;
};

static void on_certificate(void *user, const unsigned char *der, size_t len)
{
    struct found *found = user;

    found->count++;
    buf_reset(&found->last);
    buf_append(&found->last, der, len);
}

static void put(struct buf *out, int tag, const struct buf *content)
{
    buf_putc(out, (char)tag);
    buf_putc(out, (char)content->len);
    buf_append(out, content->data, content->len);
}

/* Name ::= SEQUENCE of SET of SEQUENCE { commonName, text }. */
static void put_name(struct buf *out, int string_tag, const char *text)
{
    AUTO_BUF struct buf string = BUF_INIT(ROOM), pair = BUF_INIT(ROOM), set = BUF_INIT(ROOM),
                        sequence = BUF_INIT(ROOM);

    buf_puts(&string, text);
    buf_append(&pair, "\x06\x03\x55\x04\x03", 5);
    put(&pair, string_tag, &string);
    put(&set, 0x30, &pair);
    put(&sequence, 0x31, &set);
    put(out, 0x30, &sequence);
}

/* As much of a certificate as is read, and something behind it. */
static void put_certificate(struct buf *out, bool has_version, int string_tag, const char *subject)
{
    AUTO_BUF struct buf tbs = BUF_INIT(ROOM), whole = BUF_INIT(ROOM);

    if (has_version)
        buf_append(&tbs, "\xa0\x03\x02\x01\x02", 5);
    buf_append(&tbs, "\x02\x01\x07", 3);         /* serialNumber */
    buf_append(&tbs, "\x30\x02\x05\x00", 4);     /* signature */
    put_name(&tbs, string_tag, "who signed it"); /* issuer */
    buf_append(&tbs, "\x30\x02\x05\x00", 4);     /* validity */
    put_name(&tbs, string_tag, subject);
    buf_append(&tbs, "\x30\x02\x05\x00", 4); /* subjectPublicKeyInfo */
    put(&whole, 0x30, &tbs);
    put(out, 0x30, &whole);
}

static void put_block(struct buf *file, const struct buf *der)
{
    buf_puts(file, "# a comment\n-----BEGIN CERTIFICATE-----\n");
    base64_encode(der->data, der->len, file);
    buf_puts(file, "\n-----END CERTIFICATE-----\n");
}

static int read_text(const struct buf *text, struct trust *trust, struct err *err)
{
    struct trust_place place = {.bundle = "/tmp/oi-trust-XXXXXX"};
    int fd = mkstemp(place.bundle);
    int result;

    CHECK(fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len);
    close(fd);
    result = trust_read(trust, &place, err);
    unlink(place.bundle);
    return result;
}

static unsigned count(const struct trust *trust, int string_tag, const char *issuer)
{
    AUTO_BUF struct buf name = BUF_INIT(ROOM);
    struct found found = {.last = BUF_INIT(ROOM)};

    put_name(&name, string_tag, issuer);
    trust_find(trust, (unsigned char *)name.data, name.len, on_certificate, &found);
    buf_free(&found.last);
    return found.count;
}

static void test_finding(void)
{
    static const char *const names[] = {"First Root", "Second Root", "Old Root", "Second Root"};
    AUTO_BUF struct buf file = BUF_INIT(ROOM), der = BUF_INIT(ROOM);
    struct trust trust = {0};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        buf_reset(&der);
        put_certificate(&der, i != 2, 0x13, names[i]);
        put_block(&file, &der);
        buf_puts(&file, "-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n"
                        "-----END CERTIFICATE-----\n");
    }
    CHECK_INT(read_text(&file, &trust, NULL), 0);
    TEST("the authorities of an issuer's name are found, all of them, whatever lies between") {
        CHECK_INT(count(&trust, 0x13, "First Root"), 1);
        CHECK_INT(count(&trust, 0x13, "Second Root"), 2);
        CHECK_INT(count(&trust, 0x13, "Third Root"), 0);
        CHECK_INT(count(&trust, 0x13, "Second"), 0);
    }
    TEST("a certificate without a version (X.509 v1) is found too") {
        CHECK_INT(count(&trust, 0x13, "Old Root"), 1);
    }
    TEST("names that differ in case or in the kind of string are the same, as they are to mbed "
         "TLS") {
        CHECK_INT(count(&trust, 0x0c, "first rOOT"), 1);
    }
    TEST("the whole certificate is given, and nothing more") {
        AUTO_BUF struct buf name = BUF_INIT(ROOM);
        struct found found = {.last = BUF_INIT(ROOM)};

        put_name(&name, 0x13, names[3]);
        trust_find(&trust, (unsigned char *)name.data, name.len, on_certificate, &found);
        CHECK(found.last.len == der.len && memcmp(found.last.data, der.data, der.len) == 0);
        buf_free(&found.last);
    }
    trust_free(&trust);
}

static void test_damage(void)
{
    AUTO_BUF struct buf der = BUF_INIT(ROOM);

    put_certificate(&der, true, 0x13, "A Root");
    TEST("a file of DER is one certificate") {
        struct trust trust = {0};

        CHECK_INT(read_text(&der, &trust, NULL), 0);
        CHECK_INT(count(&trust, 0x13, "A Root"), 1);
        trust_free(&trust);
    }
    TEST("a certificate cut anywhere is none") {
        for (size_t len = 1; len < der.len; len++) {
            struct buf cut = der;
            struct trust trust = {0};
            struct err err = {0};

            cut.len = len;
            CHECK_INT(read_text(&cut, &trust, &err), -1);
            CHECK(strstr(err.text, "holds no usable certificate") != NULL);
        }
    }
    TEST("any byte may be wrong without a read outside") {
        for (size_t at = 0; at < der.len; at++) {
            for (int bit = 0; bit < 8; bit++) {
                struct trust trust = {0};

                der.data[at] ^= (char)(1 << bit);
                if (read_text(&der, &trust, NULL) == 0) {
                    count(&trust, 0x13, "A Root");
                    trust_free(&trust);
                }
                der.data[at] ^= (char)(1 << bit);
            }
        }
    }
}

int main(void)
{
    test_finding();
    test_damage();
    return check_done();
}
