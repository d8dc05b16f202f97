#include "supervisor/config/repositories.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/config/session_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_BRANCH "main"
#define SHA1_DIGITS 40
#define SHA256_DIGITS 64

/* One path segment that cannot escape its directory (S-176). */
static bool is_safe_segment(const char *text, size_t len)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    if (len == 0 || (len == 1 && text[0] == '.') || (len == 2 && memcmp(text, "..", 2) == 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!memchr(letters, text[i], sizeof letters - 1))
            return false;
    }
    return true;
}

static bool is_safe_name(const char *name)
{
    return is_safe_segment(name, strlen(name));
}

/* GitLab's groups have several segments. */
static bool is_safe_owner(const char *owner)
{
    const char *segment = owner;

    for (;;) {
        size_t len = strcspn(segment, "/");

        if (!is_safe_segment(segment, len))
            return false;
        if (segment[len] == '\0')
            return true;
        segment += len + 1;
    }
}

static bool is_sha(const char *text)
{
    size_t len = strlen(text);

    return (len == SHA1_DIGITS || len == SHA256_DIGITS) &&
           strspn(text, "0123456789abcdefABCDEF") == len;
}

static bool is_good_ref_component(const char *component, size_t len)
{
    static const char lock_suffix[] = ".lock";
    size_t suffix = sizeof lock_suffix - 1;

    return len > 0 && component[0] != '.' && component[len - 1] != '.' &&
           !(len >= suffix && memcmp(component + len - suffix, lock_suffix, suffix) == 0);
}

bool repositories_is_branch_name(const char *branch)
{
    const char *component = branch;

    if (branch[0] == '-' || strcmp(branch, "@") == 0 || strstr(branch, "..") ||
        strstr(branch, "@{"))
        return false;
    for (const char *c = branch; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 127 || strchr("~^:?*[\\", *c))
            return false;
    }
    for (;;) {
        size_t len = strcspn(component, "/");

        if (!is_good_ref_component(component, len))
            return false;
        if (component[len] == '\0')
            return true;
        component += len + 1;
    }
}

static void free_repository(struct repository *repository)
{
    free(repository->owner);
    free(repository->name);
    free(repository->branch);
    free(repository->base_sha);
    free(repository->path);
    *repository = (struct repository){0};
}

void repositories_free(struct repository_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free_repository(&list->items[i]);
    list->count = 0;
}

static int check_repository(const struct repository_list *list, const struct repository *one,
                            struct err *err)
{
    if (!is_safe_owner(one->owner))
        return err_set(
            err, ERR_CONFIG,
            "repo_owner \"%s\" is not usable: letters, digits, \".\", \"_\" and \"-\" in "
            "segments joined by \"/\"",
            one->owner);
    if (!is_safe_name(one->name))
        return err_set(
            err, ERR_CONFIG,
            "repo_name \"%s\" is not usable: letters, digits, \".\", \"_\" and \"-\" only",
            one->name);
    if (!repositories_is_branch_name(one->branch))
        return err_set(err, ERR_CONFIG, "branch \"%s\" of %s/%s is no valid branch name",
                       one->branch, one->owner, one->name);
    if (one->base_sha && !is_sha(one->base_sha))
        return err_set(err, ERR_CONFIG, "base_sha \"%s\" of %s/%s is not 40 or 64 hex digits",
                       one->base_sha, one->owner, one->name);
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->items[i].name, one->name) == 0)
            return err_set(
                err, ERR_CONFIG, "%s/%s and %s/%s would share the directory %s: names must differ",
                list->items[i].owner, list->items[i].name, one->owner, one->name, one->name);
    }
    return 0;
}

static char *make_path(const char *workspace, const char *name)
{
    size_t size = strlen(workspace) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s", workspace, name);
    return path;
}

/* Takes `branch` and `base_sha` from `source`; adds to the list unless something is wrong. */
static int add_repository(struct repository_list *list, const cJSON *source, const char *owner,
                          const char *name, const char *workspace, struct err *err)
{
    struct repository one = {
        .owner = strdup(owner),
        .name = strdup(name),
        .branch = session_text(source, "branch"),
        .base_sha = session_text(source, "base_sha"),
        .path = make_path(workspace, name),
    };

    one.branch_given = one.branch != NULL;
    if (!one.branch)
        one.branch = strdup(DEFAULT_BRANCH);
    if (!one.owner || !one.name || !one.branch || !one.path) {
        free_repository(&one);
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    }
    if (check_repository(list, &one, err) != 0) {
        free_repository(&one);
        return -1;
    }
    list->items[list->count++] = one;
    return 0;
}

static int parse_element(struct repository_list *list, const cJSON *element, const char *workspace,
                         struct err *err)
{
    AUTO_FREE char *owner = session_text(element, "repo_owner");
    AUTO_FREE char *name = session_text(element, "repo_name");

    if (!owner || !name)
        return 0; /* S-59, S-60: skipped, also when it is no object */
    if (list->count == REPOSITORIES_MAX)
        return err_set(err, ERR_CONFIG, "repositories: more than %d", REPOSITORIES_MAX);
    return add_repository(list, element, owner, name, workspace, err);
}

int repositories_parse(const cJSON *session, const char *owner, const char *name,
                       const char *workspace, struct repository_list *list, struct err *err)
{
    const cJSON *element;

    list->count = 0;
    cJSON_ArrayForEach(element, json_get_array(session, "repositories")) {
        if (parse_element(list, element, workspace, err) != 0) {
            repositories_free(list);
            return -1;
        }
    }
    /* S-13: half a pair is no repository. */
    if (list->count > 0 || !owner || !*owner || !name || !*name)
        return 0;
    return add_repository(list, session, owner, name, workspace, err);
}
