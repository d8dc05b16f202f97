#include "supervisor/boot/tunnel_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535
#define PREFIX_MAX 32
#define BLANKS " \t\r\n\v\f"
#define ID_KEY "TUNNEL_SANDBOX_ID="

bool tunnel_piece_next(const char **at, struct tunnel_piece *piece)
{
    *at += strspn(*at, BLANKS ",");
    *piece = (struct tunnel_piece){.text = *at, .len = strcspn(*at, ",")};
    *at += piece->len;
    while (piece->len > 0 && strchr(BLANKS, piece->text[piece->len - 1]))
        piece->len--;
    if (piece->len > 0) {
        char *end;
        long port = strtol(piece->text, &end, 10);

        if (end == piece->text + piece->len && port > 0 && port <= PORT_MOST)
            piece->port = (uint16_t)port;
    }
    return piece->len > 0;
}

bool tunnel_ports_parse(const char *text, struct tunnel_ports *ports)
{
    struct tunnel_piece piece;
    bool good = true;

    ports->count = 0;
    while (tunnel_piece_next(&text, &piece)) {
        good = good && piece.port > 0;
        if (piece.port > 0 && ports->count < TUNNEL_PORTS_MAX)
            ports->ports[ports->count++] = piece.port;
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

    if (len == 0 || strcmp(sandbox_id, "unknown") == 0)
        return false;
    /* Any of its lines (S-415): a launcher may write below what an earlier one wrote. */
    while (id && (strcspn(id, "\r\n") != len || memcmp(id, sandbox_id, len) != 0))
        id = find_line(strchr(id, '\n') ? strchr(id, '\n') + 1 : NULL, ID_KEY);
    return id != NULL;
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
