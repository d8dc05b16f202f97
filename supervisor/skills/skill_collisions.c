#include "supervisor/skills/skill_collisions.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "supervisor/skills/skill_rules.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FRONT_MATTER_MAX 65536

struct search {
    const char *staging;
    cJSON *found;
};

/* The first bytes of a regular SKILL.md; nothing of what is none. */
static size_t read_skill_file(const char *directory, char *text)
{
    AUTO_CLOSE int fd = -1;
    char path[PATH_MAX];
    struct stat st;
    ssize_t len;

    if (snprintf(path, sizeof path, "%s/SKILL.md", directory) >= PATH_MAX)
        return 0;
    /* Not blocking: it may be a pipe that somebody put there. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    len = read(fd, text, FRONT_MATTER_MAX);
    return len > 0 ? (size_t)len : 0;
}

static void note(const struct search *search, const char *name, const char *path)
{
    char staged[PATH_MAX];
    cJSON *one, *paths;

    if (snprintf(staged, sizeof staged, "%s/%s", search->staging, name) >= PATH_MAX ||
        !skill_name_is_valid(name) || !file_exists(staged))
        return;
    cJSON_ArrayForEach(one, search->found) {
        if (strcmp(json_get_string(one, "name"), name) == 0)
            break;
    }
    if (!one) {
        one = cJSON_CreateObject();
        json_add_string(one, "name", name);
        json_put(one, "paths", cJSON_CreateArray());
        cJSON_AddItemToArray(search->found, one);
    }
    paths = json_get_array(one, "paths");
    cJSON_AddItemToArray(paths, cJSON_CreateString(path));
}

/* A directory stands for its own name and for what its SKILL.md says. */
static void look_at(const struct search *search, const char *directory, const char *entry,
                    char *text)
{
    char path[PATH_MAX], name[SKILL_NAME_MAX + 1];
    struct stat st;
    size_t len;

    if (snprintf(path, sizeof path, "%s/%s", directory, entry) >= PATH_MAX ||
        stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return;
    note(search, entry, path);
    len = read_skill_file(path, text);
    if (skill_front_matter_name(text, len, name) && strcmp(name, entry) != 0)
        note(search, name, path);
}

static void look_into(const struct search *search, const char *directory, char *text)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    if (!entries)
        return;
    while ((entry = readdir(entries))) {
        if (entry->d_name[0] != '.')
            look_at(search, directory, entry->d_name, text);
    }
    closedir(entries);
}

static bool is_same_directory(const char *one, const char *other)
{
    struct stat one_st, other_st;

    return stat(one, &one_st) == 0 && stat(other, &other_st) == 0 &&
           one_st.st_dev == other_st.st_dev && one_st.st_ino == other_st.st_ino;
}

/* It was looked into under another name: two lists of the workspace may overlap. */
static bool was_seen(const cJSON *directories, const cJSON *directory)
{
    const cJSON *earlier;

    cJSON_ArrayForEach(earlier, directories) {
        if (earlier == directory)
            return false;
        if (is_same_directory(earlier->valuestring, directory->valuestring))
            return true;
    }
    return false;
}

static cJSON *sort_by_name(cJSON *found)
{
    cJSON *sorted = cJSON_CreateArray();

    while (found->child) {
        cJSON *first = found->child, *one;

        cJSON_ArrayForEach(one, found) {
            if (strcmp(json_get_string(one, "name"), json_get_string(first, "name")) < 0)
                first = one;
        }
        cJSON_AddItemToArray(sorted, cJSON_DetachItemViaPointer(found, first));
    }
    return sorted;
}

cJSON *skill_collisions_drop(const char *staging, const char *target, const cJSON *directories,
                             struct err *err)
{
    AUTO_JSON cJSON *found = cJSON_CreateArray();
    AUTO_FREE char *text = malloc(FRONT_MATTER_MAX);
    struct search search = {.staging = staging, .found = found};
    const cJSON *one;

    if (!found || !text) {
        err_set(err, ERR_NO_MEMORY, "out of memory");
        return NULL;
    }
    cJSON_ArrayForEach(one, directories) {
        if (cJSON_IsString(one) && !is_same_directory(one->valuestring, target) &&
            !was_seen(directories, one))
            look_into(&search, one->valuestring, text);
    }
    cJSON_ArrayForEach(one, found) {
        char path[PATH_MAX];

        snprintf(path, sizeof path, "%s/%s", staging, json_get_string(one, "name"));
        if (file_remove_tree(path, err) != 0)
            return NULL;
    }
    return sort_by_name(found);
}
