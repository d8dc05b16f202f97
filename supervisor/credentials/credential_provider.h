/*
 * Gives the credential of a source: a static one at once, a brokered one from the cache or, by one
 * process for all who wait, from the control plane (S-234..S-240). Blocks up to the lock's and the
 * request's limits; never called in PID 1.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_PROVIDER_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_PROVIDER_H

#include "supervisor/credentials/credential_source.h"
#include "supervisor/credentials/credential.h"

/* `remarks` gets one line for what went wrong without standing in the way (no cache). May be NULL. */
int credential_provider_get(const struct credential_source *source, const char *cache_directory,
                            struct credential *credential, struct buf *remarks, struct err *err);

#endif
