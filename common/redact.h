/*
 * Takes secrets out of every text that leaves the process: the user part of URLs, and the literal
 * values registered at start (S-215). Pure. A `struct redact` owns copies of the secrets and wipes
 * them when freed.
 */
#ifndef COMMON_REDACT_H
#define COMMON_REDACT_H

#include "common/buf.h"

#include <stddef.h>

/* Shorter values would blank out ordinary words. */
#define REDACT_SECRET_MIN 8

struct redact;

struct redact *redact_new(void);
void redact_free(struct redact *redact);

/* Registers a secret; NULL, short and known values are ignored. */
void redact_add_secret(struct redact *redact, const char *secret);

/* Appends `text` with URL credentials and registered secrets replaced by "***", also a secret of which
 * only the beginning is left at the end of `text`. NULL `redact`: only URL credentials. */
void redact_text(const struct redact *redact, const char *text, size_t len, struct buf *out);

#endif
