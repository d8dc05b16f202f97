#include "common/redact.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REDACT_SECRETS_MAX 256
#define MASK "***"

struct redact {
    char *secrets[REDACT_SECRETS_MAX];
    size_t count;
};

struct redact *redact_new(void)
{
    return calloc(1, sizeof(struct redact));
}

void redact_free(struct redact *redact)
{
    if (!redact)
        return;
    for (size_t i = 0; i < redact->count; i++) {
        explicit_bzero(redact->secrets[i], strlen(redact->secrets[i]));
        free(redact->secrets[i]);
    }
    free(redact);
}

void redact_add_secret(struct redact *redact, const char *secret)
{
    size_t at;
    char *copy;

    if (!redact || !secret || strlen(secret) < REDACT_SECRET_MIN ||
        redact->count == REDACT_SECRETS_MAX)
        return;
    /* Longest first: a secret that begins with another must be taken out whole. */
    for (at = 0; at < redact->count; at++) {
        if (strcmp(redact->secrets[at], secret) == 0)
            return;
        if (strlen(redact->secrets[at]) < strlen(secret))
            break;
    }
    copy = strdup(secret);
    if (!copy)
        return;
    memmove(redact->secrets + at + 1, redact->secrets + at,
            (redact->count - at) * sizeof redact->secrets[0]);
    redact->secrets[at] = copy;
    redact->count++;
}

/* Also the beginning of a secret at the end of the text: what was cut (a long line, an error's
 * text) may have been cut in the middle of one. */
static size_t secret_at(const struct redact *redact, const char *text, size_t len)
{
    for (size_t i = 0; redact && i < redact->count; i++) {
        size_t secret_len = strlen(redact->secrets[i]);
        size_t seen = secret_len < len ? secret_len : len;

        if (seen >= REDACT_SECRET_MIN && memcmp(redact->secrets[i], text, seen) == 0)
            return seen;
    }
    return 0;
}

/* The length of "http://" or "https://" at the start of `text`, else 0. */
static size_t scheme_at(const char *text, size_t len)
{
    if (len >= 7 && memcmp(text, "http://", 7) == 0)
        return 7;
    if (len >= 8 && memcmp(text, "https://", 8) == 0)
        return 8;
    return 0;
}

/* How many bytes before the "@" of a URL's user part; 0 when there is none. */
static size_t userinfo_at(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '@')
            return i;
        if (text[i] == '/' || text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
            return 0;
    }
    return 0;
}

void redact_text(const struct redact *redact, const char *text, size_t len, struct buf *out)
{
    size_t plain = 0; /* start of what was not copied yet */
    size_t i = 0;

    while (i < len) {
        size_t scheme = text[i] == 'h' ? scheme_at(text + i, len - i) : 0;
        size_t keep = scheme;
        size_t drop = scheme ? userinfo_at(text + i + scheme, len - i - scheme) : 0;

        if (!drop) {
            keep = 0;
            drop = secret_at(redact, text + i, len - i);
        }
        if (!drop) {
            i++;
            continue;
        }
        buf_append(out, text + plain, i + keep - plain);
        buf_puts(out, MASK);
        i += keep + drop;
        plain = i;
    }
    buf_append(out, text + plain, len - plain);
}
