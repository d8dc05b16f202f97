/*
 * The command line (B-101..B-104). Pure but for the lookup it is given. Strings point into argv or
 * the environment and live as long as they do; nothing is owned. Each option is accepted as
 * `--name value` and `--name=value`.
 */
#ifndef BRIDGE_OPTIONS_H
#define BRIDGE_OPTIONS_H

#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>

#define OPTIONS_OPENCODE_PORT_DEFAULT 4096

enum options_auth {
    OPTIONS_AUTH_HEADER,     /* B-202 */
    OPTIONS_AUTH_QUERY,      /* B-203: query and headers */
    OPTIONS_AUTH_QUERY_ONLY, /* */
    OPTIONS_AUTH_COUNT
};

enum options_action {
    OPTIONS_RUN,
    OPTIONS_HELP,    /* usage on stdout, exit 0 */
    OPTIONS_VERSION, /* versions on stdout, exit 0 */
    OPTIONS_WORKER,  /* be the worker named in `worker` */
};

struct options {
    enum options_action action;
    const char *sandbox_id;
    const char *session_id;
    const char *control_plane;
    const char *token; /* NULL when it comes from `token_fd` */
    int token_fd;      /* -1: none */
    uint16_t opencode_port;
    enum options_auth auth; /* of OPTIONS_RUN */
    const char *worker;
};

/* The value of a variable, NULL when unset or empty: env_get() in the program. */
typedef const char *options_lookup_fn(const char *name);

extern const char OPTIONS_USAGE[];

/* Returns 0, or -1 and what is wrong with the command line (B-102: exit 2). */
int options_parse(int argc, char *const *argv, options_lookup_fn *lookup, struct options *options,
                  struct err *err);

#endif
