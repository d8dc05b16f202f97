/*
 * What a test program holds: descriptors and memory, before and after many times of the same.
 */
#ifndef TESTS_UNIT_GROWTH_H
#define TESTS_UNIT_GROWTH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GROWTH_MAX_KIB 256
/* Under a sanitizer freed memory is kept for a while; what is not freed it says itself. */
#define SANITIZED_GROWTH_MAX_KIB (16 * 1024)

struct holding {
    int descriptors;
    long resident_kib;
};

static inline int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    int count = 0;

    while (directory && readdir(directory))
        count++;
    if (directory)
        closedir(directory);
    return count;
}

static inline long read_resident_kib(void)
{
    FILE *statm = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;

    if (statm && fscanf(statm, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (statm)
        fclose(statm);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static inline struct holding look_at_holding(void)
{
    return (struct holding){.descriptors = count_descriptors(),
                            .resident_kib = read_resident_kib()};
}

static inline long growth_allowed_kib(void)
{
#ifdef __SANITIZE_ADDRESS__
    return SANITIZED_GROWTH_MAX_KIB;
#else
    return GROWTH_MAX_KIB;
#endif
}

#endif
