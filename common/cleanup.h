/*
 * Scope-bound cleanup for plain C resources. Use these macros or one `goto out`, never both in one
 * function. A value that leaves the function is taken out with TAKE_PTR/TAKE_FD.
 */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *slot)
{
    free(*(void **)slot);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

/* Gives the pointer away: the variable keeps NULL, so its cleanup does nothing. */
#define TAKE_PTR(variable)                        \
    __extension__({                               \
        __typeof__(variable) taken_ = (variable); \
        (variable) = NULL;                        \
        taken_;                                   \
    })

static inline int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
