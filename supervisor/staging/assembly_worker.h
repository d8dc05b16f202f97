/*
 * Makes the workspace's `.opencode` out of those of its repositories (S-273..S-277), as `oi-supervisor
 * --worker assembly`: what lies in a checkout may be large, strange or on a file system that hangs.
 *
 * Input:  {"workspace", "deps", "repositories":[{"name":"owner/name","path"}]}
 * Output: {"type":"override","path","loser","winner"} (indexes of repositories) for every file that a later
 *         repository replaces; then a result with `file_count` (of what lies there now) and `repo_count`.
 *
 * The workspace's .opencode gets the npm guard (npm_guard.h): the result has `guarded` (the directory) and `guard_ms`.
 * With a single repository, in which OpenCode then works itself, its own .opencode does, and loses what earlier
 * supervisors put there (earlier_assets.h); or the result has `guard_error`.
 *
 * Links are never followed out of a repository, and never on the way to a destination (S-282): a link
 * to /proc/self/environ would otherwise put our tokens on the disk.
 */
#ifndef SUPERVISOR_STAGING_ASSEMBLY_WORKER_H
#define SUPERVISOR_STAGING_ASSEMBLY_WORKER_H

#define ASSEMBLY_WORKER_NAME "assembly"

int assembly_worker_main(void);

#endif
