/*
 * The two formats of OpenSSH that a signer meets: a public key as one line, and a signature in
 * armour (B-934, B-936). Pure.
 */
#ifndef BRIDGE_SIGNER_SSH_FORMAT_H
#define BRIDGE_SIGNER_SSH_FORMAT_H

#include "common/buf.h"

#include <stdbool.h>

/* "SHA256:" and 32 bytes as base64 without padding. */
#define SSH_FINGERPRINT_SIZE (sizeof "SHA256:" + 43)

/* The fingerprint of "ssh-ed25519 <base64> [comment]"; -1 when it is no such key. */
int ssh_key_fingerprint(const char *key, char out[SSH_FINGERPRINT_SIZE]);

/* The text is one armoured SSH signature and nothing else. */
bool ssh_signature_is_armoured(const char *text, size_t len);

#endif
