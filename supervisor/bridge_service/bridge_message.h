/*
 * The lines on the channel between supervisor and bridge (S-325, docs/supervisor-bridge-channel.md).
 * Pure.
 */
#ifndef SUPERVISOR_BRIDGE_SERVICE_BRIDGE_MESSAGE_H
#define SUPERVISOR_BRIDGE_SERVICE_BRIDGE_MESSAGE_H

#include "common/buf.h"
#include "supervisor/boot/boot_phase.h"

#include <stdbool.h>
#include <stddef.h>

#define BRIDGE_MESSAGE_MAX (64 * 1024)
#define BRIDGE_MESSAGE_REASON_MAX 256

enum bridge_message_type {
    BRIDGE_MESSAGE_UNKNOWN,
    BRIDGE_MESSAGE_CONNECTED,
    BRIDGE_MESSAGE_PROMPT,
    BRIDGE_MESSAGE_EXITING,
};

struct bridge_message {
    enum bridge_message_type type;
    bool running;                           /* of a prompt */
    char reason[BRIDGE_MESSAGE_REASON_MAX]; /* of exiting */
};

/* Anything that is no known message is UNKNOWN. */
struct bridge_message bridge_message_read(const char *line, size_t len);

/* Each appends one whole line. */
void bridge_message_boot(struct buf *out, const struct boot_phase *phase, bool connect);
void bridge_message_plain(struct buf *out, const char *type); /* opencode_down, shutdown */
void bridge_message_ready(struct buf *out, const char *directory);
void bridge_message_fatal(struct buf *out, const char *error);

/* `owner` and `name` are NULL when no repository is meant. */
void bridge_message_warning(struct buf *out, const char *scope, const char *message,
                            const char *owner, const char *name);

#endif
