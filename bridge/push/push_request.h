/*
 * What a `push` command asks for, and the event that answers it; both contracts, told apart by the
 * command's shape: with `pushSpec` it is the current one, else with `branchName` the older
 * one. Pure. A request owns its strings; none is NULL.
 */
#ifndef BRIDGE_PUSH_PUSH_REQUEST_H
#define BRIDGE_PUSH_PUSH_REQUEST_H

#include "common/buf.h"

#include <cJSON.h>
#include <stdbool.h>

struct push_request {
    bool older_contract;
    bool has_spec; /* current contract: pushSpec is an object */
    bool force;
    char *branch;
    char *owner;
    char *name;
    char *refspec;
    char *remote_url;          /* with credentials */
    char *redacted_remote_url; /* for logs and texts */
    char *token;               /* older contract */
    const char *token_source;  /* older contract: for the log (B-840) */
};

/* Fall-backs of the older contract (B-113): values of the environment, NULL when unset. */
struct push_fallbacks {
    const char *owner, *name, *token;
};

/* A refusal before anything was tried: B-803..B-806, B-842. */
struct push_refusal {
    const char *text;   /* NULL: none */
    const char *reason; /* for the log */
};

/* Returns -1 when out of memory. */
int push_request_parse(const cJSON *command, const struct push_fallbacks *fallbacks,
                       struct push_request *request);
void push_request_clear(struct push_request *request);

struct push_refusal push_request_check(const struct push_request *request);

/* `error` NULL: push_complete, else push_error. */
cJSON *push_event(const struct push_request *request, const char *error, double timestamp_s);

/* B-815, D-44, D-52: the remote's text without credentials, trimmed, at most 8 KiB. */
void push_redact(const struct push_request *request, const char *text, struct buf *out);

#endif
