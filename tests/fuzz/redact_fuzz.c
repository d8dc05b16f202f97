/*
 * Fuzzer of common/redact. The input's first lines, up to an empty one, are secrets; the rest is the
 * text.
 *
 * - What comes out holds no secret, and does not end with the beginning of one.
 * - It holds no user part of a URL.
 * - A text without secrets and URLs is left as it is.
 */
#include "common/redact.h"
#include "tests/fuzz/require.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX ((size_t)16 * 1024 * 1024)
#define SECRETS_MAX 16
#define MASK "***"
#define SCHEME "https://"

struct secrets {
    char *texts[SECRETS_MAX];
    size_t count;
};

/* Reads the secrets; returns where the text begins. Not one that the mask itself could make, and not
 * the scheme that stays before a user part. */
static size_t take_secrets(struct secrets *secrets, struct redact *redact, const uint8_t *data,
                           size_t size)
{
    size_t at = 0;

    while (at < size && data[at] != '\n') {
        const uint8_t *newline = memchr(data + at, '\n', size - at);
        size_t len = newline ? (size_t)(newline - data) - at : size - at;
        char *secret = strndup((const char *)data + at, len);

        if (secrets->count < SECRETS_MAX && strlen(secret) >= REDACT_SECRET_MIN &&
            !strchr(secret, '*') && strcmp(secret, SCHEME) != 0) {
            redact_add_secret(redact, secret);
            secrets->texts[secrets->count++] = secret;
        } else {
            free(secret);
        }
        at += len + 1;
    }
    return at < size ? at + 1 : size;
}

static void check_no_secret(const struct secrets *secrets, const char *text, size_t len)
{
    for (size_t i = 0; i < secrets->count; i++) {
        const char *secret = secrets->texts[i];
        size_t whole = strlen(secret);

        require(!memmem(text, len, secret, whole));
        for (size_t part = REDACT_SECRET_MIN; part < whole && part <= len; part++)
            require(memcmp(text + len - part, secret, part) != 0);
    }
}

/* Where a URL of http or https has a user part, the mask stands for it. */
static void check_no_userinfo(const char *text, size_t len)
{
    const char *end = text + len, *at = text;

    while ((at = memmem(at, (size_t)(end - at), "://", 3)) != NULL) {
        bool http = (at - text >= 4 && memcmp(at - 4, "http", 4) == 0) ||
                    (at - text >= 5 && memcmp(at - 5, "https", 5) == 0);
        const char *user = at + 3, *c = user;

        while (c < end && !strchr("@/ \t\n\v\f\r", *c))
            c++;
        /* A mask that took the place of a blank joins what was no user part. */
        if (http && c < end && *c == '@' && c > user)
            require(memmem(user, (size_t)(c - user), MASK, strlen(MASK)));
        at += 3;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct secrets secrets = {0};
    struct redact *redact = redact_new();
    size_t at = take_secrets(&secrets, redact, data, size);
    const char *text = (const char *)data + at;
    AUTO_BUF struct buf out = BUF_INIT(TEXT_MAX);

    redact_text(redact, text, size - at, &out);
    require(!buf_failed(&out));
    check_no_secret(&secrets, buf_text(&out), out.len);
    check_no_userinfo(buf_text(&out), out.len);
    if (secrets.count == 0 && !memmem(text, size - at, "http", 4))
        require(out.len == size - at && memcmp(buf_text(&out), text, out.len) == 0);
    for (size_t i = 0; i < secrets.count; i++)
        free(secrets.texts[i]);
    redact_free(redact);
    return 0;
}
