/*
 * How often the kernel killed something of this sandbox because its memory was used up: the counter
 * of the cgroup we are in, version 2 (memory.events) or 1 (memory.oom_control). It does not say who
 * was killed; together with a death by SIGKILL it does. Without a readable counter nothing is counted.
 */
#ifndef SUPERVISOR_PROCESS_OOM_KILLS_H
#define SUPERVISOR_PROCESS_OOM_KILLS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

struct oom_kills {
    char path[PATH_MAX]; /* "": no counter was found */
    uint64_t seen;
    uint64_t limit_bytes; /* of the group's memory when it was initialised; 0: none known */
};

/* The counter in a text of either version; false when there is none. Pure. */
bool oom_kills_parse(const char *text, uint64_t *count);

/* Finds the counter and takes what it is now as seen. `cgroup_root` and `of_self` are those of cgroup.h. */
void oom_kills_init(struct oom_kills *kills, const char *cgroup_root, const char *of_self);

/* Kills since the last look. */
uint64_t oom_kills_look(struct oom_kills *kills);

#endif
