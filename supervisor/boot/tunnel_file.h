/*
 * The tunnel file (contract section 10): the launcher writes which public URL leads to which port,
 * in its own time. Pure: what a text of the file says.
 */
#ifndef SUPERVISOR_BOOT_TUNNEL_FILE_H
#define SUPERVISOR_BOOT_TUNNEL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNEL_PORTS_MAX 64

struct tunnel_ports {
    uint16_t ports[TUNNEL_PORTS_MAX];
    size_t count;
};

/* One piece of the list, without the blanks around it; `port` 0: it is no port. */
struct tunnel_piece {
    const char *text;
    size_t len;
    uint16_t port;
};

/* The next piece at `*at`, which moves behind it; empty ones are passed over. False: the end. */
bool tunnel_piece_next(const char **at, struct tunnel_piece *piece);

/* EXPECTED_TUNNEL_PORTS (S-26): a comma list; pieces that are no port are left out. False when there
 * was such a piece. */
bool tunnel_ports_parse(const char *text, struct tunnel_ports *ports);

/* It has the line of this sandbox (S-415). Never true for an empty id or "unknown". */
bool tunnel_file_is_of(const char *text, const char *sandbox_id);

/* It has a line for every port, and names no other sandbox (S-416, S-417). */
bool tunnel_file_is_complete(const char *text, const struct tunnel_ports *ports,
                             const char *sandbox_id);

#endif
