#include "git/repository.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/config_values.h"
#include "git/fetch.h"
#include "git/git_error.h"
#include "git/library.h"
#include "git/local_config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADS "refs/heads/"
#define ATTRIBUTES_MAX (256 * 1024)

int repository_head(const char *path, char sha[REPOSITORY_SHA_SIZE], struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    git_oid id;
    int code;

    sha[0] = '\0';
    if (library_open(path, &repository, err) < 0)
        return -1;
    code = git_reference_name_to_id(&id, repository, "HEAD");
    if (code < 0)
        return git_error_to_err(code, "read HEAD", err);
    git_oid_tostr(sha, REPOSITORY_SHA_SIZE, &id);
    return 0;
}

/* A linked worktree shares info/ with the repository it belongs to. */
static const char *folder_of(const git_repository *repository, const char *name)
{
    return strncmp(name, "info/", strlen("info/")) == 0 ? git_repository_commondir(repository)
                                                        : git_repository_path(repository);
}

int repository_git_path(const char *path, const char *name, struct buf *out, struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_BUF struct buf usual = BUF_INIT(PATH_MAX);
    struct stat st;

    buf_printf(&usual, "%s/.git", path);
    /* libgit2 is not started for the usual case. */
    if (lstat(buf_text(&usual), &st) == 0 && S_ISDIR(st.st_mode))
        buf_printf(out, "%s/%s", buf_text(&usual), name);
    else if (library_open(path, &repository, err) == 0)
        buf_printf(out, "%s%s", folder_of(repository, name), name);
    else
        return -1;
    return buf_failed(out) ? err_set(err, ERR_LIMIT, "the path of %s is too long", path) : 0;
}

/* "https://x-access-token:...@host/...". The user of an ssh:// URL is no secret. */
static bool names_user(const char *url)
{
    const char *authority =
        strncasecmp(url, "http", strlen("http")) == 0 ? strstr(url, "://") : NULL;

    return authority && authority[3 + strcspn(authority + 3, "@/")] == '@';
}

/* There may be several. */
static int on_push_url(const git_config_entry *entry, void *user)
{
    bool *any = user;

    *any = *any || (entry->value && names_user(entry->value));
    return 0;
}

/* As it stands in .git/config: insteadOf may put a token into what libgit2 gives. */
static int drop_push_url_with_token(git_repository *repository)
{
    static const char key[] = "remote.origin.pushurl";
    AUTO_GIT(config) git_config *all = NULL, *local = NULL;
    bool any = false;
    int code = git_repository_config(&all, repository);

    if (code == 0)
        code = git_config_open_level(&local, all, GIT_CONFIG_LEVEL_LOCAL);
    if (code == 0)
        code = git_config_get_multivar_foreach(local, key, NULL, on_push_url, &any);
    if (code < 0)
        return code == GIT_ENOTFOUND ? 0 : code;
    return any ? config_values_set(local, key, NULL, 0) : 0;
}

int repository_set_origin(const char *path, const char *url, struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(remote) git_remote *origin = NULL;
    int code;

    if (library_open(path, &repository, err) < 0)
        return -1;
    /* git_remote_set_url() alone would also accept a remote that is not there. */
    code = git_remote_lookup(&origin, repository, "origin");
    if (code == 0)
        code = git_remote_set_url(repository, "origin", url);
    if (code == 0)
        code = drop_push_url_with_token(repository);
    return code < 0 ? git_error_to_err(code, "set the URL of origin", err) : 0;
}

int repository_set_identity(const char *path, const char *name, const char *email, struct err *err)
{
    const struct local_config_change changes[] = {{"user.name", name}, {"user.email", email}};

    return local_config_apply(path, changes, ARRAY_LENGTH(changes), err);
}

static int is_dirty(git_repository *repository, bool *dirty, struct err *err)
{
    AUTO_GIT(status_list) git_status_list *list = NULL;
    git_status_options options;
    int code;

    git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
    options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED | GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
    code = git_status_list_new(&list, repository, &options);
    if (code < 0)
        return git_error_to_err(code, "look for changes", err);
    *dirty = git_status_list_entrycount(list) > 0;
    return 0;
}

/* Commits of `left` that `right` lacks and the reverse. */
static int compare(git_repository *repository, const char *left, const char *right, size_t *ahead,
                   size_t *behind, struct err *err)
{
    git_oid left_id, right_id;
    int code = git_reference_name_to_id(&left_id, repository, left);

    if (code == 0)
        code = git_reference_name_to_id(&right_id, repository, right);
    if (code == 0)
        code = git_graph_ahead_behind(ahead, behind, repository, &left_id, &right_id);
    return code < 0 ? git_error_to_err(code, "compare with origin", err) : 0;
}

/* The full name that HEAD stands for; "HEAD" when it is detached. */
static int head_name(git_repository *repository, struct buf *name, struct err *err)
{
    AUTO_GIT(reference) git_reference *head = NULL;
    const char *target;
    int code = git_reference_lookup(&head, repository, "HEAD");

    if (code < 0)
        return git_error_to_err(code, "read HEAD", err);
    target = git_reference_symbolic_target(head);
    buf_puts(name, target ? target : "HEAD");
    return 0;
}

/* `branch` need not be there: an image may be of another one. */
static int walk_own_commits(git_repository *repository, git_revwalk *walk, const char *branch,
                            const char *origin_before, bool *has)
{
    AUTO_BUF struct buf local = BUF_INIT(2 * BRANCH_NAME_MAX);
    git_oid id;
    int code = git_repository_head_unborn(repository) == 1 ? 0 : git_revwalk_push_head(walk);

    buf_printf(&local, HEADS "%s", branch);
    if (code == 0 && git_reference_name_to_id(&id, repository, buf_text(&local)) == 0)
        code = git_revwalk_push(walk, &id);
    if (code == 0)
        code = git_revwalk_hide_glob(walk, "refs/remotes/origin/*");
    if (code == 0 && git_oid_fromstr(&id, origin_before) == 0)
        code = git_revwalk_hide(walk, &id);
    if (code == 0)
        code = git_revwalk_next(&id, walk);
    *has = code == 0;
    return code == GIT_ITEROVER ? 0 : code;
}

int repository_has_own_commits(const char *path, const char *branch, const char *origin_before,
                               bool *has, const char **why, struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(revwalk) git_revwalk *walk = NULL;
    int code;

    if (library_open(path, &repository, err) < 0)
        return -1;
    *why = "there are commits that origin lacks";
    code = git_revwalk_new(&walk, repository);
    if (code == 0)
        code = walk_own_commits(repository, walk, branch, origin_before, has);
    return code < 0 ? git_error_to_err(code, "look for commits of our own", err) : 0;
}

int repository_has_session_work(const char *path, const char *branch, bool *has, const char **why,
                                struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_BUF struct buf local = BUF_INIT(2 * BRANCH_NAME_MAX),
                        origin = BUF_INIT(2 * BRANCH_NAME_MAX),
                        head = BUF_INIT(2 * BRANCH_NAME_MAX);
    size_t ahead, behind;
    bool dirty = false;

    if (library_open(path, &repository, err) < 0 || head_name(repository, &head, err) < 0 ||
        is_dirty(repository, &dirty, err) < 0)
        return -1;
    buf_printf(&local, HEADS "%s", branch);
    buf_printf(&origin, "refs/remotes/origin/%s", branch);
    *has = true;
    *why = "HEAD is on another branch";
    if (strcmp(buf_text(&head), buf_text(&local)) != 0)
        return 0;
    *why = "files are changed";
    if (dirty)
        return 0;
    /* No commit, no file: what is left of a git clone that was killed. */
    *has = git_repository_head_unborn(repository) != 1;
    if (!*has)
        return 0;
    *why = "the branch has commits that origin lacks";
    if (compare(repository, buf_text(&local), buf_text(&origin), &ahead, &behind, err) < 0)
        return -1;
    *has = ahead > 0;
    return 0;
}

int repository_count_behind(const char *path, char *branch, size_t branch_size, size_t *behind,
                            struct err *err)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_BUF struct buf head = BUF_INIT(2 * BRANCH_NAME_MAX),
                        origin = BUF_INIT(2 * BRANCH_NAME_MAX);
    const char *name;
    size_t ahead;

    branch[0] = '\0';
    if (library_open(path, &repository, err) < 0 || head_name(repository, &head, err) < 0)
        return -1;
    name = buf_text(&head);
    if (strncmp(name, HEADS, strlen(HEADS)) == 0)
        name += strlen(HEADS);
    snprintf(branch, branch_size, "%s", name);
    buf_printf(&origin, "refs/remotes/origin/%s", name);
    return compare(repository, "HEAD", buf_text(&origin), &ahead, behind, err);
}

bool repository_tracks(const char *path, const char *file)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(index) git_index *index = NULL;
    struct err err;

    if (library_open(path, &repository, &err) < 0)
        return err.class != ERR_NOT_FOUND;
    return git_repository_index(&index, repository) < 0 ||
           git_index_get_bypath(index, file, 0) != NULL;
}

bool repository_has_attribute(const char *path, const char *attribute)
{
    AUTO_BUF struct buf name = BUF_INIT(PATH_MAX), attributes = BUF_INIT(ATTRIBUTES_MAX);

    buf_printf(&name, "%s/.gitattributes", path);
    return file_read(buf_text(&name), &attributes, NULL) == 0 &&
           strstr(buf_text(&attributes), attribute) != NULL;
}
