/*
 * The limits of the bridge that the environment sets: X(variable, field of the bridge's struct limits,
 * default, least, most); milliseconds, numbers or bytes, as the name says. They stand here because both
 * programs need them: the bridge reads them (bridge/limits.h has what each is for), and
 * `oi-supervisor --check` says which of them the bridge would replace.
 */
#ifndef COMMON_BRIDGE_LIMITS_H
#define COMMON_BRIDGE_LIMITS_H

/* BRIDGE_SSE_INACTIVITY_TIMEOUT, in seconds (B-105). */
#define BRIDGE_INACTIVITY_DEFAULT_S 120
#define BRIDGE_INACTIVITY_LEAST_S 5
#define BRIDGE_INACTIVITY_MOST_S 3600

/* SANDBOX_TIMEOUT_SECONDS (B-106). */
#define BRIDGE_SANDBOX_DEFAULT_S 7200

/* clang-format off */
#define BRIDGE_LIMITS(X) \
    X("BRIDGE_TOKEN_INTERVAL_MS", token_interval_ms, 100, 0, 10000) \
    X("BRIDGE_HEARTBEAT_INTERVAL_MS", heartbeat_ms, 30000, 50, 60000) \
    X("BRIDGE_HANDSHAKE_TIMEOUT_MS", handshake_ms, 10000, 50, 60000) \
    X("BRIDGE_PING_INTERVAL_MS", ping_interval_ms, 20000, 1000, 60000) \
    X("BRIDGE_PONG_TIMEOUT_MS", pong_timeout_ms, 10000, 1000, 60000) \
    X("BRIDGE_RECONNECT_FIRST_MS", reconnect_first_ms, 2000, 10, 60000) \
    X("BRIDGE_RECONNECT_MAX_MS", reconnect_max_ms, 60000, 10, 600000) \
    X("BRIDGE_STABLE_CONNECTION_MS", stable_connection_ms, 10000, 10, 600000) \
    X("BRIDGE_FIRST_404_RETRY_MS", first_404_retry_ms, 30000, 0, 600000) \
    X("BRIDGE_OPENCODE_TIMEOUT_MS", opencode_call_ms, 30000, 50, 600000) \
    X("BRIDGE_SESSION_LOOKUP_MS", session_lookup_ms, 10000, 0, 600000) \
    X("BRIDGE_FINAL_FETCH_MS", final_fetch_ms, 60000, 50, 900000) \
    X("BRIDGE_SETTLE_MS", settle_ms, 500, 0, 60000) \
    X("BRIDGE_ALIVE_MS", alive_ms, 30000, 50, 600000) \
    X("BRIDGE_SESSION_INACTIVITY_MS", session_inactivity_ms, 0, 0, 86400000) \
    X("BRIDGE_PUSH_TIMEOUT_MS", push_ms, 300000, 50, 3600000) \
    X("BRIDGE_LEGACY_PUSH_TIMEOUT_MS", legacy_push_ms, 170000, 50, 3600000) \
    X("BRIDGE_PUSH_KILL_MS", push_kill_ms, 5000, 10, 60000) \
    X("BRIDGE_DRAIN_TIMEOUT_MS", drain_ms, 2000, 0, 60000) \
    X("BRIDGE_ATTACHMENT_TIMEOUT_MS", attachment_ms, 120000, 50, 3600000) \
    X("BRIDGE_SIGNING_TIMEOUT_MS", signing_ms, 30000, 50, 600000) \
    X("BRIDGE_GIT_CONFIG_TIMEOUT_MS", git_config_ms, 10000, 50, 600000) \
    X("BRIDGE_DIFF_TIMEOUT_MS", diff_capture_ms, 60000, 50, 3600000) \
    X("BRIDGE_DIFF_STEP_TIMEOUT_MS", diff_step_ms, 20000, 50, 600000) \
    X("BRIDGE_DIFF_UPLOAD_TIMEOUT_MS", diff_upload_ms, 60000, 50, 600000) \
    X("BRIDGE_DIFF_MAX_FILES", diff_max_files, 1000, 0, 1000) \
    X("BRIDGE_DIFF_MAX_PATCH_BYTES", diff_max_patch_bytes, 524288, 0, 524288) \
    X("BRIDGE_DIFF_MAX_CAPTURE_BYTES", diff_max_capture_bytes, 1048576, 0, 1048576) \
    X("BRIDGE_DIFF_MAX_LISTING_BYTES", diff_max_listing_bytes, 8000000, 0, 64000000) \
    X("BRIDGE_DIFF_MAX_BUNDLE_BYTES", diff_max_bundle_bytes, 1572864, 0, 1572864) \
    X("BRIDGE_OUTBOX_MAX_EVENTS", outbox_max_events, 10000, 2, 1000000) \
    X("BRIDGE_OUTBOX_MAX_BYTES", outbox_max_bytes, 16 * 1024 * 1024, 64 * 1024, 1024 * 1024 * 1024) \
    X("BRIDGE_OUTBOX_PATIENCE_MS", outbox_patience_ms, 5000, 0, 60000)
/* clang-format on */

#endif
