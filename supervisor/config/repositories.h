/*
 * The repositories of a session (S-175..S-181): from SESSION_CONFIG's list, else from REPO_OWNER and
 * REPO_NAME. Pure. Names become directories and URL parts, so whatever could leave the workspace is
 * refused here. A list owns its strings.
 */
#ifndef SUPERVISOR_CONFIG_REPOSITORIES_H
#define SUPERVISOR_CONFIG_REPOSITORIES_H

#include "common/buf.h"

#include <cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define REPOSITORIES_MAX 32

struct repository {
    char *owner;
    char *name;
    char *branch;
    char *base_sha;    /* NULL: not given */
    char *path;        /* <workspace>/<name> */
    bool branch_given; /* false: the default "main", which S-205 lets the worker replace */
};

struct repository_list {
    struct repository items[REPOSITORIES_MAX];
    size_t count;
};

/*
 * `session` is the parsed SESSION_CONFIG; `owner` and `name` are REPO_OWNER and REPO_NAME (NULL or
 * empty: none). `workspace` is the directory above the checkouts. `problems` gets a line for each field
 * that is not usable, with its value; the repository stands in the list all the same. -1 when out of
 * memory. repositories_free() is due in every case.
 */
int repositories_parse(const cJSON *session, const char *owner, const char *name,
                       const char *workspace, struct repository_list *list, struct buf *problems);
void repositories_free(struct repository_list *list);

/* 40 or 64 hex digits. */
bool repositories_is_sha(const char *text);

/* git's rules for a branch name, and no leading "-" (S-181). */
bool repositories_is_branch_name(const char *branch);

#endif
