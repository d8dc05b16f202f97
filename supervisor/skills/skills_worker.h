/*
 * The workers of managed skills (section 9), `oi-supervisor --worker skills`: they speak TLS and write
 * what a network sent, so they are never PID 1.
 *
 * Input:  {"action":"fetch", "directory", "url", "token", "limit_ms"}: all pages into staging.
 *         {"action":"install", "directory", "searched":[...]}: what collides is left out, the rest
 *         takes the place of the earlier skills.
 * Output: {"type":"result", "ok":true} with `manifest_sha256` and `skill_count`, or with `unsupported`
 *         (the status) when this control plane has no skills (S-392), and with `unchanged` true when
 *         there are none and were none, so that nothing is to be installed; after "install" with
 *         `collisions` and `dropped`. Else ok false, with `error_code` (S-405).
 *
 * `directory` is OpenCode's global configuration directory. After a failure the earlier skills are as
 * they were.
 */
#ifndef SUPERVISOR_SKILLS_SKILLS_WORKER_H
#define SUPERVISOR_SKILLS_SKILLS_WORKER_H

#define SKILLS_WORKER_NAME "skills"

int skills_worker_main(void);

#endif
