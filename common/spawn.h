/*
 * Starts a child the way both programs need it (S-354, S-357): own session, default signal dispositions
 * and an empty mask, stdin from /dev/null unless given, every descriptor but the named ones
 * closed, killed when the parent dies. A failure in the child between fork and exec comes back
 * through an error pipe, with the step and errno. Reaping is the caller's: nothing here waits
 * except for a child that never reached exec.
 */
#ifndef COMMON_SPAWN_H
#define COMMON_SPAWN_H

#include "common/err.h"

#include <stdbool.h>
#include <sys/types.h>

/* A parent with this in its /proc/self/oom_score_adj has protected itself from the kernel's search for
 * memory; its children get 0 (S-360). */
#define SPAWN_OOM_SCORE_PROTECTED "-500"

/* What fd `child_fd` is in the child. `parent_fd` stays open in the parent. */
struct spawn_fd {
    int parent_fd;
    int child_fd;
};

struct spawn_options {
    const char *program;     /* a path, or a name looked up in the child's PATH */
    const char *const *argv; /* NULL-terminated, argv[0] included */
    const char *const *envp; /* NULL: ours */
    const char *directory;   /* NULL: ours */
    const struct spawn_fd *fds;
    int fd_count;          /* 0, 1 and 2 that are not named: /dev/null, ours, ours */
    bool new_session;      /* setsid: signals of a terminal do not reach it, and it leads a group */
    bool dies_with_parent; /* PR_SET_PDEATHSIG SIGKILL */
};

/* Returns 0 and the pid, or -1: "start opencode: exec /usr/bin/opencode: No such file". */
int spawn_process(const struct spawn_options *options, pid_t *pid, struct err *err);

#endif
