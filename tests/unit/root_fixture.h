/*
 * A directory of the test's own, and files below it, named by their paths from there. For one test
 * program; root_begin() before the first use, root_end() removes all of it; then it may begin again.
 */
#ifndef TESTS_UNIT_ROOT_FIXTURE_H
#define TESTS_UNIT_ROOT_FIXTURE_H

#include "common/file.h"
#include "tests/unit/check.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_PATHS_AT_ONCE 4
#define ROOT_TEXT_MAX 4096

static char root[] = "/tmp/oi-root-XXXXXX";

static inline void root_begin(void)
{
    static const char any[] = "XXXXXX";

    strcpy(root + sizeof root - sizeof any, any); /* a second time there is another name in it */
    if (!mkdtemp(root))
        abort();
}

static inline void root_end(void)
{
    file_remove_tree(root, NULL);
}

/* The full path; good until as many others were asked for as ROOT_PATHS_AT_ONCE says. */
static inline const char *in_root(const char *path)
{
    static char full[ROOT_PATHS_AT_ONCE][PATH_MAX];
    static unsigned turn;
    char *out = full[turn++ % ROOT_PATHS_AT_ONCE];

    snprintf(out, PATH_MAX, "%s/%s", root, path);
    return out;
}

/* Writes the file, and makes the directories it lies in. */
static inline void put_file(const char *path, const char *text)
{
    char directory[PATH_MAX];

    snprintf(directory, sizeof directory, "%s", in_root(path));
    *strrchr(directory, '/') = '\0';
    CHECK_INT(file_make_directories(directory, 0755, NULL), 0);
    CHECK_INT(file_write_atomic(in_root(path), text, strlen(text), 0644, false, NULL), 0);
}

/* What stands in the file, up to ROOT_TEXT_MAX; good until the next call. */
static inline const char *read_text(const char *path)
{
    static char text[ROOT_TEXT_MAX];
    AUTO_BUF struct buf content = BUF_INIT(sizeof text - 1);

    file_read(in_root(path), &content, NULL);
    snprintf(text, sizeof text, "%s", buf_text(&content));
    return text;
}

#endif
