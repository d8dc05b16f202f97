/*
 * Every limit of the bridge, read once at the start from the environment. Each has a default and a
 * range; a value outside is clamped, one that is no number is replaced by the default, and both are
 * logged (B-105..B-107, B-115). Nothing here stops the bridge. Only main calls limits_read().
 *
 * | variable                        | default | range          | what                            |
 * | BRIDGE_SSE_INACTIVITY_TIMEOUT   | 120 s   | 5 .. 3600 s    | silence of OpenCode's stream    |
 * | SANDBOX_TIMEOUT_SECONDS         | 7200 s  | above 0        | life of the sandbox             |
 * | BRIDGE_TOKEN_INTERVAL_MS        | 100     | 0 .. 10000     | between two tokens of a part    |
 * | BRIDGE_HEARTBEAT_INTERVAL_MS    | 30000   | 50 .. 60000    | between heartbeats              |
 * | BRIDGE_HANDSHAKE_TIMEOUT_MS     | 10000   | 50 .. 60000    | TCP, TLS and upgrade together   |
 * | BRIDGE_PING_INTERVAL_MS         | 20000   | 1000 .. 60000  | between keep-alive pings        |
 * | BRIDGE_PONG_TIMEOUT_MS          | 10000   | 1000 .. 60000  | for the answer to one           |
 * | BRIDGE_RECONNECT_FIRST_MS       | 2000    | 10 .. 60000    | first wait before a reconnect   |
 * | BRIDGE_RECONNECT_MAX_MS         | 60000   | 10 .. 600000   | longest wait                    |
 * | BRIDGE_STABLE_CONNECTION_MS     | 10000   | 10 .. 600000   | this long resets the wait       |
 * | BRIDGE_FIRST_404_RETRY_MS       | 30000   | 0 .. 600000    | a 404 at the first connection   |
 * | BRIDGE_OPENCODE_TIMEOUT_MS      | 30000   | 50 .. 600000   | one call to OpenCode            |
 * | BRIDGE_SESSION_LOOKUP_MS        | 10000   | 0 .. 600000    | looking for the stored session  |
 * | BRIDGE_FINAL_FETCH_MS           | 60000   | 50 .. 900000   | abort and final fetch           |
 * | BRIDGE_SETTLE_MS                | 500     | 0 .. 60000     | idle without output             |
 * | BRIDGE_ALIVE_MS                 | 30000   | 50 .. 600000   | accepted, but nothing heard     |
 * | BRIDGE_SESSION_INACTIVITY_MS    | 0: none | 0 .. 86400000  | no event of the prompt's session|
 * | BRIDGE_PUSH_TIMEOUT_MS          | 300000  | 50 .. 3600000  | one push, current contract      |
 * | BRIDGE_LEGACY_PUSH_TIMEOUT_MS   | 170000  | 50 .. 3600000  | one push, older contract        |
 * | BRIDGE_PUSH_KILL_MS             | 5000    | 10 .. 60000    | from SIGTERM to SIGKILL         |
 * | BRIDGE_DRAIN_TIMEOUT_MS         | 2000    | 0 .. 60000     | sending what is queued at exit  |
 * | BRIDGE_ATTACHMENT_TIMEOUT_MS    | 120000  | 50 .. 3600000  | silence of a download           |
 * | BRIDGE_SIGNING_TIMEOUT_MS       | 30000   | 50 .. 600000   | the signing configuration       |
 * | BRIDGE_GIT_CONFIG_TIMEOUT_MS    | 10000   | 50 .. 600000   | configuring one checkout        |
 * | BRIDGE_DIFF_TIMEOUT_MS          | 60000   | 50 .. 3600000  | one capture of the changes      |
 * | BRIDGE_DIFF_STEP_TIMEOUT_MS     | 20000   | 50 .. 600000   | listing them, and each file     |
 * | BRIDGE_DIFF_UPLOAD_TIMEOUT_MS   | 60000   | 50 .. 600000   | uploading a capture             |
 * | BRIDGE_DIFF_MAX_FILES           | 1000    | 0 .. 1000      | files in a capture              |
 * | BRIDGE_DIFF_MAX_PATCH_BYTES     | 524288  | 0 .. 524288    | one patch                       |
 * | BRIDGE_DIFF_MAX_CAPTURE_BYTES   | 1048576 | 0 .. 1048576   | its patches together            |
 * | BRIDGE_DIFF_MAX_LISTING_BYTES   | 8000000 | 0 .. 64000000  | git's list of changes           |
 * | BRIDGE_DIFF_MAX_BUNDLE_BYTES    | 1572864 | 0 .. 1572864   | a capture as it is uploaded     |
 * | BRIDGE_OUTBOX_MAX_EVENTS        | 10000   | 2 .. 1000000   | events waiting to be sent       |
 * | BRIDGE_OUTBOX_MAX_BYTES         | 16 MiB  | 64 KiB .. 1 GiB| their size together             |
 * | BRIDGE_OUTBOX_PATIENCE_MS       | 5000    | 0 .. 60000     | rests of the stream, a backlog  |
 */
#ifndef BRIDGE_LIMITS_H
#define BRIDGE_LIMITS_H

#include "common/log.h"

#include <stdint.h>

struct limits {
    uint64_t sse_inactivity_ms;
    uint64_t prompt_max_duration_ms; /* B-107: sandbox timeout minus the snapshot reserve */
    uint64_t prompt_cleanup_ms;      /* the snapshot reserve */
    uint64_t token_interval_ms;
    uint64_t heartbeat_ms;
    uint64_t handshake_ms;
    uint64_t ping_interval_ms;
    uint64_t pong_timeout_ms;
    uint64_t reconnect_first_ms;
    uint64_t reconnect_max_ms;
    uint64_t stable_connection_ms;
    uint64_t first_404_retry_ms;
    uint64_t opencode_call_ms;
    uint64_t session_lookup_ms;
    uint64_t final_fetch_ms;
    uint64_t settle_ms;
    uint64_t alive_ms;
    uint64_t session_inactivity_ms;
    uint64_t push_ms;
    uint64_t legacy_push_ms;
    uint64_t push_kill_ms;
    uint64_t drain_ms;
    uint64_t attachment_ms;
    uint64_t signing_ms;
    uint64_t git_config_ms;
    uint64_t diff_capture_ms;
    uint64_t diff_step_ms;
    uint64_t diff_upload_ms;
    uint64_t diff_max_files; /* these five: B-1010; the control plane takes no more */
    uint64_t diff_max_patch_bytes;
    uint64_t diff_max_capture_bytes;
    uint64_t diff_max_listing_bytes;
    uint64_t diff_max_bundle_bytes;
    uint64_t outbox_max_events;
    uint64_t outbox_max_bytes;
    uint64_t outbox_patience_ms;
};

/* Fills all of `limits` from the environment and logs as B-115 says. */
void limits_read(struct limits *limits, struct log *log);

#endif
