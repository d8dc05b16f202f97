/*
 * One question to the control plane for a credential (S-236): POST, no body, 15 s for all of it. On
 * a loop of its own; it blocks, so only the helper and workers call it.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_BROKER_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_BROKER_H

#include "common/buf.h"
#include "supervisor/credentials/credential_source.h"

#define CREDENTIAL_REQUEST_LIMIT_MS (15 * 1000)
#define CREDENTIAL_ANSWER_MAX (64 * 1024)

/* `answer` gets the body of a 200. Anything else is an error with the status and the first 200
 * characters of the body; the bearer is in none. */
int credential_broker_ask(const struct credential_source *source, struct buf *answer,
                          struct err *err);

#endif
