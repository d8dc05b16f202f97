#include "supervisor/credentials/credential_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char blanks[] = " \t\r\n\v\f";

static char **slot_of(struct credential_request *request, const char *key, size_t len)
{
    const struct {
        const char *key;
        char **slot;
    } slots[] = {
        {"protocol", &request->protocol},
        {"host", &request->host},
        {"password", &request->password},
    };

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (strlen(slots[i].key) == len && memcmp(slots[i].key, key, len) == 0)
            return slots[i].slot;
    }
    return NULL;
}

static int take_line(struct credential_request *request, const char *line, size_t len,
                     struct err *err)
{
    const char *equals = memchr(line, '=', len);
    size_t key_len = equals ? (size_t)(equals - line) : 0;
    char **slot = equals ? slot_of(request, line, key_len) : NULL;

    if (!slot)
        return 0;
    credential_wipe(*slot);
    *slot = strndup(equals + 1, len - key_len - 1);
    return *slot ? 0 : err_set(err, ERR_NO_MEMORY, "out of memory");
}

int credential_request_parse(const char *text, size_t len, struct credential_request *request,
                             struct err *err)
{
    *request = (struct credential_request){0};
    while (len > 0) {
        const char *newline = memchr(text, '\n', len);
        size_t line_len = newline ? (size_t)(newline - text) : len;
        size_t step = newline ? line_len + 1 : len;
        size_t shown = line_len > 0 && text[line_len - 1] == '\r' ? line_len - 1 : line_len;

        if (shown == 0)
            return 0;
        if (take_line(request, text, shown, err) < 0) {
            credential_request_free(request);
            return -1;
        }
        text += step;
        len -= step;
    }
    return 0;
}

void credential_request_free(struct credential_request *request)
{
    free(request->protocol);
    free(request->host);
    credential_wipe(request->password);
    *request = (struct credential_request){0};
}

static bool is_same(const char *one, const char *other)
{
    size_t one_len, other_len;

    one += strspn(one, blanks);
    other += strspn(other, blanks);
    for (one_len = strlen(one); one_len > 0 && strchr(blanks, one[one_len - 1]);)
        one_len--;
    for (other_len = strlen(other); other_len > 0 && strchr(blanks, other[other_len - 1]);)
        other_len--;
    return one_len == other_len && strncasecmp(one, other, one_len) == 0;
}

bool credential_request_is_for(const struct credential_request *request, const char *host)
{
    return request->protocol && is_same(request->protocol, "https") && request->host &&
           is_same(request->host, host);
}

void credential_request_print_answer(const struct credential *credential, struct buf *out)
{
    buf_printf(out, "username=%s\npassword=%s\n\n", credential->username, credential->password);
}
