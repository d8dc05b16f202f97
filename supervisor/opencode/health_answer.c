#include "supervisor/opencode/health_answer.h"

#include <string.h>

static const char *find(const char *bytes, size_t len, const char *wanted)
{
    size_t wanted_len = strlen(wanted);

    for (size_t at = 0; at + wanted_len <= len; at++) {
        if (memcmp(bytes + at, wanted, wanted_len) == 0)
            return bytes + at;
    }
    return NULL;
}

static size_t skip_blanks(const char *bytes, size_t len, size_t at)
{
    while (at < len && memchr(" \t\r\n", bytes[at], 4))
        at++;
    return at;
}

/* The value behind `"healthy"` and a colon is the word true. A body in chunks may have a chunk's
 * size line around the object, but never inside so short a one. */
static bool says_healthy(const char *body, size_t len)
{
    static const char key[] = "\"healthy\"";
    static const char truth[] = "true";
    const char *found = find(body, len, key);
    size_t at;

    if (!found || !memchr(body, '{', (size_t)(found - body)))
        return false;
    at = skip_blanks(body, len, (size_t)(found - body) + sizeof key - 1);
    if (at >= len || body[at] != ':')
        return false;
    at = skip_blanks(body, len, at + 1);
    return len - at >= sizeof truth - 1 && memcmp(body + at, truth, sizeof truth - 1) == 0;
}

static bool is_status_200(const char *bytes, size_t len)
{
    static const char version[] = "HTTP/1.";
    static const size_t status_at = sizeof "HTTP/1.1 " - 1;

    return len >= status_at + 3 && memcmp(bytes, version, sizeof version - 1) == 0 &&
           memcmp(bytes + status_at - 1, " 200", 4) == 0;
}

enum health_answer health_answer_read(const char *bytes, size_t len, bool ended)
{
    const char *blank_line = find(bytes, len, "\r\n\r\n");
    enum health_answer unless_healthy =
        ended || len >= HEALTH_ANSWER_MAX ? HEALTH_ANSWER_OTHER : HEALTH_ANSWER_INCOMPLETE;
    const char *body;
    size_t body_len;

    if (!blank_line)
        return unless_healthy;
    if (!is_status_200(bytes, len))
        return HEALTH_ANSWER_OTHER;
    body = blank_line + 4;
    body_len = len - (size_t)(body - bytes);
    if (!memchr(body, '}', body_len))
        return unless_healthy;
    return says_healthy(body, body_len) ? HEALTH_ANSWER_HEALTHY : HEALTH_ANSWER_OTHER;
}
