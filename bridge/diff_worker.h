/*
 * The worker that captures a session's changes: `oi-bridge --worker diff`. It reads one JSON object
 * from stdin up to end of file, writes one JSON line to stdout (common/worker.h), and the bundle, as
 * it is uploaded, to descriptor WORKER_BULK_FD. It changes nothing in a checkout, so that the parent
 * may kill it at any time: when a prompt starts, or when its time is over.
 *
 * Input:
 *
 *   "manifest"    the repository manifest's contents: {"repositories": [...]} (B-1110)
 *   "trigger"     optional: the id of the message that the capture follows
 *   "limits"      optional, each: {"max_files", "max_patch_bytes", "max_capture_bytes",
 *                 "max_listing_bytes", "max_bundle_bytes", "step_s"} (B-1010)
 *
 * Output line, of type "result": {"ok": true, "repository_count": 2, "encoded_bytes": 4711}, or
 * {"ok": false, "error_class", "error"}, whose error is what is reported to the control plane.
 *
 * Exit status: 0 with ok true, 1 with ok false.
 */
#ifndef BRIDGE_DIFF_WORKER_H
#define BRIDGE_DIFF_WORKER_H

/* The whole life of the worker process; returns its exit status. */
int diff_worker_main(void);

#endif
