#include "common/cleanup.h"
#include "git/diff_private.h"
#include "git/git_error.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where git looks for a NUL. */
#define BINARY_LOOK_BYTES 8000

#define PERMISSION_EXECUTE 0100
#define ATTRIBUTE_VALUE_MAX 256

static int path_on_disk(const struct diff *diff, const char *path, char full[PATH_MAX])
{
    int len = snprintf(full, PATH_MAX, "%s%s", diff->workdir, path);

    return len < PATH_MAX ? 0 : -1;
}

/* ---- contents ---- */

static int set_data(struct diff_content *content, const void *data, size_t len, struct err *err)
{
    content->data = malloc(len + 1);
    if (!content->data)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    if (len)
        memcpy(content->data, data, len);
    content->data[len] = '\0';
    content->len = len;
    return 0;
}

static int load_object(struct diff *diff, const git_oid *id, struct diff_content *content,
                       struct err *err)
{
    AUTO_GIT(odb_object) git_odb_object *object = NULL;
    git_object_t type;
    size_t size;
    int code = git_odb_read_header(&size, &type, diff->odb, id);

    if (code == 0 && size > DIFF_CONTENT_MAX) {
        content->too_large = true;
        return 0;
    }
    if (code == 0)
        code = git_odb_read(&object, diff->odb, id);
    if (code < 0)
        return git_error_to_err(code, "read a file of the baseline", err);
    return set_data(content, git_odb_object_data(object), git_odb_object_size(object), err);
}

/* What git would store of the file: line endings, `ident`. Programs of filter.* are not run. */
static int apply_filters(struct diff *diff, const char *path, struct diff_content *content,
                         struct err *err)
{
    AUTO_GIT(filter_list) git_filter_list *filters = NULL;
    AUTO_GIT_BUF git_buf stored = {0};
    int code = git_filter_list_load(&filters, diff->repository, NULL, path, GIT_FILTER_TO_ODB,
                                    GIT_FILTER_ALLOW_UNSAFE);

    if (code == 0 && !filters)
        return 0;
    if (code == 0)
        code = git_filter_list_apply_to_buffer(&stored, filters, content->data, content->len);
    if (code < 0)
        return git_error_to_err(code, "convert a file of the checkout", err);
    diff_content_free(content);
    return set_data(content, stored.ptr, stored.size, err);
}

/* Up to the size that was seen: a file that grows meanwhile is cut. */
static int read_file(int fd, size_t size, struct diff_content *content, struct err *err)
{
    content->data = malloc(size + 1);
    if (!content->data)
        return err_set(err, ERR_NO_MEMORY, "out of memory");
    while (content->len < size) {
        ssize_t got = read(fd, content->data + content->len, size - content->len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        content->len += (size_t)got;
    }
    content->data[content->len] = '\0';
    return 0;
}

static int load_link(const char *full, struct diff_content *content, struct err *err)
{
    char target[PATH_MAX];
    ssize_t len = readlink(full, target, sizeof target);

    return set_data(content, target, len > 0 ? (size_t)len : 0, err);
}

/* What cannot be read, or is gone by now, counts as empty. */
static int load_from_disk(struct diff *diff, const char *path, struct diff_content *content,
                          struct err *err)
{
    AUTO_CLOSE int fd = -1;
    char full[PATH_MAX];
    struct stat found;

    if (path_on_disk(diff, path, full) != 0 || lstat(full, &found) != 0)
        return set_data(content, "", 0, err);
    if (S_ISLNK(found.st_mode))
        return load_link(full, content, err);
    if (!S_ISREG(found.st_mode))
        return set_data(content, "", 0, err);
    if ((uint64_t)found.st_size > DIFF_CONTENT_MAX) {
        content->too_large = true;
        return 0;
    }
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return set_data(content, "", 0, err);
    if (read_file(fd, (size_t)found.st_size, content, err) != 0)
        return -1;
    return apply_filters(diff, path, content, err);
}

int diff_content_load(struct diff *diff, const char *path, const struct diff_side *side,
                      struct diff_content *content, struct err *err)
{
    char sha[DIFF_SHA_SIZE], text[DIFF_SHA_SIZE + sizeof "Subproject commit \n"];
    int code;

    *content = (struct diff_content){0};
    if (side->mode == DIFF_MODE_SUBMODULE) {
        git_oid_tostr(sha, sizeof sha, &side->id);
        snprintf(text, sizeof text, "Subproject commit %s\n", sha);
        code = set_data(content, text, strlen(text), err);
    } else if (side->mode == 0) {
        code = set_data(content, "", 0, err);
    } else if (side->on_disk) {
        code = load_from_disk(diff, path, content, err);
    } else {
        code = load_object(diff, &side->id, content, err);
    }
    if (code != 0) {
        diff_content_free(content);
        return err_add_context(err, "%s", path);
    }
    return 0;
}

void diff_content_free(struct diff_content *content)
{
    free(content->data);
    *content = (struct diff_content){0};
}

/* ---- binary or text ---- */

/* diff.<driver>.binary: 1, 0, or -1 when it is not set. */
static int driver_says_binary(struct diff *diff, const char *driver)
{
    AUTO_GIT(config) git_config *config = NULL;
    char key[ATTRIBUTE_VALUE_MAX];
    int binary = 0;

    snprintf(key, sizeof key, "diff.%s.binary", driver);
    if (git_repository_config_snapshot(&config, diff->repository) != 0 ||
        git_config_get_bool(&binary, config, key) != 0)
        return -1;
    return binary;
}

bool diff_content_is_binary(struct diff *diff, const char *path, const struct diff_content *content)
{
    const char *value = NULL;
    int binary = -1;
    size_t look;

    if (content->too_large)
        return true;
    if (git_attr_get(&value, diff->repository, 0, path, "diff") == 0) {
        switch (git_attr_value(value)) {
        case GIT_ATTR_VALUE_TRUE:
            return false;
        case GIT_ATTR_VALUE_FALSE:
            return true;
        case GIT_ATTR_VALUE_STRING:
            binary = driver_says_binary(diff, value);
            break;
        default:
            break;
        }
    }
    if (binary >= 0)
        return binary;
    look = content->len < BINARY_LOOK_BYTES ? content->len : BINARY_LOOK_BYTES;
    return look > 0 && memchr(content->data, '\0', look) != NULL;
}

/* ---- modes, ids, submodules ---- */

unsigned diff_mode_on_disk(const struct diff *diff, const char *path, unsigned indexed)
{
    char full[PATH_MAX];
    struct stat found;
    git_oid head;

    if (path_on_disk(diff, path, full) != 0 || lstat(full, &found) != 0)
        return 0;
    if (S_ISLNK(found.st_mode))
        return GIT_FILEMODE_LINK;
    if (S_ISDIR(found.st_mode)) {
        /* The folder of a submodule may be empty: that is no change. */
        bool is_submodule =
            indexed == DIFF_MODE_SUBMODULE || diff_submodule_head(diff, path, &head);

        return is_submodule ? DIFF_MODE_SUBMODULE : 0;
    }
    if (!S_ISREG(found.st_mode))
        return 0;
    if (!diff->trust_modes && S_ISREG(indexed))
        return indexed;
    return found.st_mode & PERMISSION_EXECUTE ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

/* A file too large to be held in memory is taken as it is. */
static int identify_large(const struct diff *diff, const char *path, git_oid *id)
{
    char full[PATH_MAX];

    if (path_on_disk(diff, path, full) != 0)
        return -1;
    return git_odb_hashfile(id, full, GIT_OBJECT_BLOB);
}

int diff_identify(struct diff *diff, const char *path, struct diff_side *side, struct err *err)
{
    struct diff_content content;
    int code;

    if (side->has_id || side->mode == 0)
        return 0;
    if (diff_content_load(diff, path, side, &content, err) != 0)
        return -1;
    code = content.too_large ? identify_large(diff, path, &side->id)
                             : git_odb_hash(&side->id, content.data, content.len, GIT_OBJECT_BLOB);
    diff_content_free(&content);
    if (code < 0)
        return git_error_to_err(code, "hash a file of the checkout", err);
    side->has_id = true;
    return 0;
}

static int open_submodule(const struct diff *diff, const char *path, git_repository **repository)
{
    char full[PATH_MAX];

    if (path_on_disk(diff, path, full) != 0)
        return -1;
    return git_repository_open_ext(repository, full, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);
}

bool diff_submodule_head(const struct diff *diff, const char *path, git_oid *id)
{
    AUTO_GIT(repository) git_repository *repository = NULL;

    return open_submodule(diff, path, &repository) == 0 &&
           git_reference_name_to_id(id, repository, "HEAD") == 0;
}

/* Against the index, or the index against HEAD. */
static bool is_changed(git_repository *repository, git_tree *head)
{
    AUTO_GIT(diff_list) git_diff *staged = NULL, *unstaged = NULL;
    git_diff_options options;

    git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
    options.flags = GIT_DIFF_SKIP_BINARY_CHECK;
    options.ignore_submodules = GIT_SUBMODULE_IGNORE_ALL;
    if (git_diff_tree_to_index(&staged, repository, head, NULL, &options) != 0 ||
        git_diff_index_to_workdir(&unstaged, repository, NULL, &options) != 0)
        return false;
    return git_diff_num_deltas(staged) > 0 || git_diff_num_deltas(unstaged) > 0;
}

bool diff_submodule_is_dirty(const struct diff *diff, const char *path)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(commit) git_commit *head = NULL;
    AUTO_GIT(tree) git_tree *tree = NULL;
    git_oid id;

    return open_submodule(diff, path, &repository) == 0 &&
           git_reference_name_to_id(&id, repository, "HEAD") == 0 &&
           git_commit_lookup(&head, repository, &id) == 0 && git_commit_tree(&tree, head) == 0 &&
           is_changed(repository, tree);
}
