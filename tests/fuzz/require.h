/*
 * What a fuzz target asserts: a condition that does not hold is said, with its place, and ends the
 * process as a crash, which the fuzzer keeps the input of.
 */
#ifndef TESTS_FUZZ_REQUIRE_H
#define TESTS_FUZZ_REQUIRE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void require_that(bool holds, const char *what, const char *file, int line)
{
    if (holds)
        return;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

#define require(holds) require_that(holds, #holds, __FILE__, __LINE__)

#endif
