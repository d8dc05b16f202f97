#include "supervisor/config/repositories.h"

#include "common/ascii.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "supervisor/config/session_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_BRANCH "main"
#define SHA1_DIGITS 40
#define SHA256_DIGITS 64
#define CLONE_SUFFIX ".oi-clone"       /* git/clone.h */
#define OPENCODE_DIRECTORY ".opencode" /* staging/assembly.h */
#define PROBLEM_MAX (4 * 1024)

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

bool repositories_is_sha(const char *text)
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
        if (ascii_is_control((unsigned char)*c) || strchr(" ~^:?*[\\", *c))
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

/* Where a repository stands: its place in SESSION_CONFIG's list, or REPO_OWNER and REPO_NAME. */
#define FROM_VARIABLES (-1)

static void print_origin(struct buf *out, int place, const char *field)
{
    if (place != FROM_VARIABLES)
        buf_printf(out, "SESSION_CONFIG: repositories[%d].%s", place, field);
    else if (strcmp(field, "repo_owner") == 0)
        buf_puts(out, "REPO_OWNER:");
    else if (strcmp(field, "repo_name") == 0)
        buf_puts(out, "REPO_NAME:");
    else
        buf_printf(out, "SESSION_CONFIG: %s", field);
}

/* One line, whatever the value holds: lines are what the problems are counted by. */
static void add_problem(struct buf *problems, int place, const char *field, const char *format, ...)
{
    AUTO_BUF struct buf text = BUF_INIT(PROBLEM_MAX);
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    for (size_t i = 0; i < text.len; i++) {
        if (ascii_is_control((unsigned char)text.data[i]))
            text.data[i] = '?';
    }
    print_origin(problems, place, field);
    buf_printf(problems, " %s\n", buf_failed(&text) ? "is far too long" : buf_text(&text));
}

/* "/workspace/.app.oi-clone" is where app grows (S-203). */
static bool is_clone_of(const char *name, const char *other)
{
    size_t len = strlen(other);

    return name[0] == '.' && strncasecmp(name + 1, other, len) == 0 &&
           strcmp(name + 1 + len, CLONE_SUFFIX) == 0;
}

/* S-177; and what this program makes in the workspace itself would destroy a checkout of that name:
 * where another one grows, and the .opencode of several. */
static bool would_share(const char *one, const char *other)
{
    return strcasecmp(one, other) == 0 || is_clone_of(one, other) || is_clone_of(other, one) ||
           strcmp(one, OPENCODE_DIRECTORY) == 0 || strcmp(other, OPENCODE_DIRECTORY) == 0;
}

static void check_repository(const struct repository_list *list, const struct repository *one,
                             int place, struct buf *problems)
{
    if (!is_safe_owner(one->owner))
        add_problem(problems, place, "repo_owner",
                    "\"%s\" is not usable: letters, digits, \".\", \"_\" and \"-\" in segments "
                    "joined by \"/\"",
                    one->owner);
    if (!is_safe_name(one->name))
        add_problem(problems, place, "repo_name",
                    "\"%s\" is not usable: letters, digits, \".\", \"_\" and \"-\" only",
                    one->name);
    if (!repositories_is_branch_name(one->branch))
        add_problem(problems, place, "branch", "\"%s\" of %s/%s is no valid branch name",
                    one->branch, one->owner, one->name);
    if (one->base_sha && !repositories_is_sha(one->base_sha))
        add_problem(problems, place, "base_sha", "\"%s\" of %s/%s is not 40 or 64 hex digits",
                    one->base_sha, one->owner, one->name);
    for (size_t i = 0; i < list->count; i++) {
        if (would_share(list->items[i].name, one->name))
            add_problem(
                problems, place, "repo_name",
                "\"%s\": %s/%s and %s/%s would share the directory: names must differ, and be "
                "neither .opencode nor another one's .<name>.oi-clone",
                one->name, list->items[i].owner, list->items[i].name, one->owner, one->name);
    }
}

static char *make_path(const char *workspace, const char *name)
{
    size_t size = strlen(workspace) + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s", workspace, name);
    return path;
}

/* Takes `branch` and `base_sha` from `source`; adds to the list, and to `problems` what is wrong. */
static int add_repository(struct repository_list *list, const cJSON *source, const char *owner,
                          const char *name, const char *workspace, int place, struct buf *problems)
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
        return -1;
    }
    check_repository(list, &one, place, problems);
    list->items[list->count++] = one;
    return 0;
}

static int parse_list(struct repository_list *list, const cJSON *session, const char *workspace,
                      struct buf *problems)
{
    const cJSON *element;
    int place = 0;

    cJSON_ArrayForEach(element, json_get_array(session, "repositories")) {
        AUTO_FREE char *owner = session_text(element, "repo_owner");
        AUTO_FREE char *name = session_text(element, "repo_name");
        int here = place++;

        if (!owner || !name)
            continue; /* S-59, S-60: skipped, also when it is no object */
        if (list->count == REPOSITORIES_MAX) {
            buf_printf(problems, "SESSION_CONFIG: repositories: more than %d\n", REPOSITORIES_MAX);
            return 0;
        }
        if (add_repository(list, element, owner, name, workspace, here, problems) != 0)
            return -1;
    }
    return 0;
}

int repositories_parse(const cJSON *session, const char *owner, const char *name,
                       const char *workspace, struct repository_list *list, struct buf *problems)
{
    list->count = 0;
    if (parse_list(list, session, workspace, problems) != 0)
        return -1;
    /* S-13: half a pair is no repository. */
    if (list->count > 0 || !owner || !*owner || !name || !*name)
        return 0;
    return add_repository(list, session, owner, name, workspace, FROM_VARIABLES, problems);
}
