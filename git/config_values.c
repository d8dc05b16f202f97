#include "git/config_values.h"

#include <git2/sys/errors.h>
#include <stdbool.h>
#include <string.h>

#define EVERY_VALUE ".*"
#define NO_VALUE "a^"

struct found {
    const char *const *wanted;
    size_t wanted_count;
    size_t count;
    bool other;
    bool bare; /* one is a key without "=" */
};

static int on_value(const git_config_entry *entry, void *user)
{
    struct found *found = user;

    found->bare |= !entry->value;
    found->other |= !entry->value || found->count >= found->wanted_count ||
                    strcmp(entry->value, found->wanted[found->count]) != 0;
    found->count++;
    return 0;
}

/* Leaves the key with one value at most, which the first of the new ones replaces in its place. */
static int make_room(git_config *config, const char *key, const struct found *found)
{
    if (found->count > 1 && found->bare) { /* libgit2 would follow a null pointer */
        git_error_set_str(GIT_ERROR_CONFIG, "it stands there several times, once without a value");
        return GIT_ERROR;
    }
    if (found->count > 1)
        return git_config_delete_multivar(config, key, EVERY_VALUE);
    return found->count == 1 && found->wanted_count == 0 ? git_config_delete_entry(config, key) : 0;
}

int config_values_set(git_config *config, const char *key, const char *const *values, size_t count)
{
    struct found found = {.wanted = values, .wanted_count = count};
    int code = git_config_get_multivar_foreach(config, key, NULL, on_value, &found);

    if (code < 0 && code != GIT_ENOTFOUND)
        return code;
    if (found.count == count && !found.other)
        return 0;
    code = make_room(config, key, &found);
    if (code == 0 && count > 0)
        code = git_config_set_string(config, key, values[0]);
    for (size_t i = 1; code == 0 && i < count; i++)
        code = git_config_set_multivar(config, key, NO_VALUE, values[i]);
    return code;
}
