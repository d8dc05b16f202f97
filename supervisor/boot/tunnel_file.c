#include "supervisor/boot/tunnel_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535
#define PREFIX_MAX 32
#define ID_KEY "TUNNEL_SANDBOX_ID="

bool tunnel_ports_parse(const char *text, struct tunnel_ports *ports)
{
    bool good = true;

    ports->count = 0;
    while (*text) {
        size_t len = strcspn(text, ",");
        char *end;
        long port = strtol(text, &end, 10);
        bool blank = strspn(text, " \t") >= len;
        bool is_port = !blank && end > text && end + strspn(end, " \t") == text + len && port > 0 &&
                       port <= PORT_MOST;

        good = good && (blank || is_port);
        if (is_port && ports->count < TUNNEL_PORTS_MAX)
            ports->ports[ports->count++] = (uint16_t)port;
        text += len + (text[len] == ',');
    }
    return good;
}

/* The line that begins with `prefix`, behind it; NULL when there is none. */
static const char *find_line(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    while (text && *text) {
        if (strncmp(text, prefix, len) == 0)
            return text + len;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return NULL;
}

bool tunnel_file_is_of(const char *text, const char *sandbox_id)
{
    const char *id = find_line(text, ID_KEY);
    size_t len = strlen(sandbox_id);

    if (!id || len == 0 || strcmp(sandbox_id, "unknown") == 0)
        return false;
    return strcspn(id, "\r\n") == len && memcmp(id, sandbox_id, len) == 0;
}

bool tunnel_file_is_complete(const char *text, const struct tunnel_ports *ports,
                             const char *sandbox_id)
{
    char prefix[PREFIX_MAX];

    if (find_line(text, ID_KEY) && !tunnel_file_is_of(text, sandbox_id))
        return false;
    for (size_t i = 0; i < ports->count; i++) {
        snprintf(prefix, sizeof prefix, "TUNNEL_%u=", (unsigned)ports->ports[i]);
        if (!find_line(text, prefix))
            return false;
    }
    return true;
}
