/*
 * A user name and password for the git host, with the time at which they stop working (S-234,
 * S-236). Pure. A credential owns its strings and wipes them when freed.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A cached one must work for at least so long: git may clone for a while with it. */
#define CREDENTIAL_SPARE_MS (300 * 1000)

struct credential {
    char *username;
    char *password;
    uint64_t expires_at_ms; /* wall clock, since the epoch */
    char *endpoint;         /* who gave it, in the cache; NULL: not said */
};

/* Reads what the control plane answers and the cache holds. -1 for anything but an object with
 * usable user name, password and expiry; the error never quotes the text, which may hold a secret. */
int credential_parse(const char *text, size_t len, struct credential *credential, struct err *err);

/* Whether a cached one may still be handed out. */
bool credential_is_fresh(const struct credential *credential, uint64_t now_ms);

void credential_free(struct credential *credential);

/* Overwrites a secret before its memory is given back; NULL is fine. */
void credential_wipe(char *secret);

static inline void cleanup_credential(struct credential *credential)
{
    credential_free(credential);
}

#define AUTO_CREDENTIAL __attribute__((cleanup(cleanup_credential)))

#endif
