/*
 * Reads the answer to GET /global/health: the only bytes from a socket that PID 1 looks at. Pure,
 * bounded, and strict on purpose: OpenCode answers unknown paths with 200 and a web page, so only
 * "healthy": true in a JSON object counts (contract/opencode.md section 4).
 */
#ifndef SUPERVISOR_OPENCODE_HEALTH_ANSWER_H
#define SUPERVISOR_OPENCODE_HEALTH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* A healthy answer takes some 200 bytes. */
#define HEALTH_ANSWER_MAX 4096

enum health_answer {
    HEALTH_ANSWER_INCOMPLETE, /* more bytes are needed */
    HEALTH_ANSWER_HEALTHY,
    HEALTH_ANSWER_OTHER, /* complete, and not what a healthy OpenCode says */
};

/* `ended`: the peer closed, nothing more will come. */
enum health_answer health_answer_read(const char *bytes, size_t len, bool ended);

#endif
