/*
 * The unit tests' own few lines. A test program has one main() with
 *     TEST("a sentence that says what users rely on") { CHECK(...); CHECK_STR(got, "wanted"); }
 * blocks and ends with `return check_done();`. Each block prints "ok" or "not ok"; the runner counts them.
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_passed, check_failed, check_bad_in_block;
static const char *check_block;

static inline void check_close_block(void)
{
    if (!check_block)
        return;
    if (check_bad_in_block)
        check_failed++;
    else
        check_passed++;
    printf("%s - %s\n", check_bad_in_block ? "not ok" : "ok", check_block);
    fflush(stdout);
    check_block = NULL;
}

static inline int check_open_block(const char *name)
{
    check_close_block();
    check_block = name;
    check_bad_in_block = 0;
    return 1;
}

static inline int check_done(void)
{
    check_close_block();
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed ? 1 : 0;
}

static inline void check_that(int good, const char *what, const char *file, int line)
{
    if (good)
        return;
    check_bad_in_block = 1;
    printf("  %s:%d: not true: %s\n", file, line, what);
}

static inline void check_str(const char *got, const char *wanted, const char *what,
                             const char *file, int line)
{
    if (got == wanted || (got && wanted && strcmp(got, wanted) == 0))
        return;
    check_bad_in_block = 1;
    printf("  %s:%d: %s\n    got:    %s\n    wanted: %s\n", file, line, what, got ? got : "(null)",
           wanted ? wanted : "(null)");
}

static inline void check_int(long long got, long long wanted, const char *what, const char *file,
                             int line)
{
    if (got == wanted)
        return;
    check_bad_in_block = 1;
    printf("  %s:%d: %s\n    got:    %lld\n    wanted: %lld\n", file, line, what, got, wanted);
}

#define TEST(name) if (check_open_block(name))
#define CHECK(condition) check_that(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_STR(got, wanted) check_str((got), (wanted), #got, __FILE__, __LINE__)
#define CHECK_INT(got, wanted) \
    check_int((long long)(got), (long long)(wanted), #got, __FILE__, __LINE__)

#endif
