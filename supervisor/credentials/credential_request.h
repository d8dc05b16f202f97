/*
 * git's credential protocol (git-credential(1)): what git asks a helper, as lines of "key=value" up
 * to an empty one, and what the helper answers. Pure. A request owns its strings.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_REQUEST_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_REQUEST_H

#include "common/buf.h"
#include "supervisor/credentials/credential.h"

/* git itself takes no longer lines; all of them together are far shorter. */
#define CREDENTIAL_REQUEST_MAX (64 * 1024)

struct credential_request {
    char *protocol; /* NULL: git did not say */
    char *host;     /* with the port when the URL has one */
    char *password; /* of store and erase */
};

/* S-229: lines without "=" and keys we do not know are skipped, the last of equal keys counts. */
int credential_request_parse(const char *text, size_t len, struct credential_request *request,
                             struct err *err);
void credential_request_free(struct credential_request *request);

/* S-230: https to exactly this host ("host" or "host:port"), without regard to case and blanks. */
bool credential_request_is_for(const struct credential_request *request, const char *host);

/* S-238: user name, password, empty line, and nothing of the question: an echoed capability would be
 * a promise. */
void credential_request_print_answer(const struct credential *credential, struct buf *out);

#endif
