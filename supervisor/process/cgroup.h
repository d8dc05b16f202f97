/*
 * Where the kernel tells about the memory of this sandbox: the cgroup we are in, version 2 or 1.
 */
#ifndef SUPERVISOR_PROCESS_CGROUP_H
#define SUPERVISOR_PROCESS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_OF_SELF "/proc/self/cgroup"

/* False: this file is of no use, look on. */
typedef bool cgroup_take_fn(void *user, const char *path);

/* Offers our group's file, `version_2` or `version_1`, and then the root's, until one is taken. `root`
 * and `of_self` are the two above. */
bool cgroup_find(const char *root, const char *of_self, const char *version_2,
                 const char *version_1, cgroup_take_fn *take, void *user);

/* Bytes, from a text of memory.max or memory.limit_in_bytes; 0: no limit. Pure. */
uint64_t cgroup_memory_limit_parse(const char *text);

/* What the sandbox may use, in bytes; 0: no limit, or none that can be read. */
uint64_t cgroup_memory_limit(const char *root, const char *of_self);

#endif
