#include "supervisor/process/cgroup.h"

#include "common/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (16 * 1024)
/* Version 1 has no word for "no limit" but a number near 2^63, rounded to pages of any size. */
#define LIMIT_MOST (UINT64_C(1) << 62)

struct search {
    const char *root;
    const char *version_2, *version_1;
    cgroup_take_fn *take;
    void *user;
};

static bool offer(const struct search *search, const char *hierarchy, const char *group,
                  const char *file)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%s%s/%s", search->root, hierarchy, group, file);

    return len > 0 && (size_t)len < sizeof path && search->take(search->user, path);
}

/* One line of /proc/self/cgroup: "0::/group" (version 2) or "9:memory:/group" (version 1). */
static bool offer_line(const struct search *search, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!group)
        return false;
    *group++ = '\0';
    if (strcmp(controllers, ":") == 0)
        return offer(search, "", group, search->version_2);
    return strstr(controllers, "memory") && offer(search, "/memory", group, search->version_1);
}

bool cgroup_find(const char *root, const char *of_self, const char *version_2,
                 const char *version_1, cgroup_take_fn *take, void *user)
{
    const struct search search = {root, version_2, version_1, take, user};
    AUTO_BUF struct buf groups = BUF_INIT(FILE_MAX_BYTES);
    char *next;

    if (file_read(of_self, &groups, NULL) == 0) {
        for (char *line = groups.data; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next)
                *next++ = '\0';
            if (offer_line(&search, line))
                return true;
        }
    }
    /* In a container the path is often that of the host, and our group is the root that we see. */
    return offer(&search, "", "", version_2) || offer(&search, "/memory", "", version_1);
}

uint64_t cgroup_memory_limit_parse(const char *text)
{
    char *end;
    unsigned long long bytes;

    errno = 0;
    bytes = strtoull(text, &end, 10);
    return errno || end == text || bytes >= LIMIT_MOST ? 0 : bytes;
}

static bool take_limit(void *user, const char *path)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
    uint64_t *bytes = user;

    if (file_read(path, &text, NULL) == 0)
        *bytes = cgroup_memory_limit_parse(buf_text(&text));
    return *bytes > 0;
}

uint64_t cgroup_memory_limit(const char *root, const char *of_self)
{
    uint64_t bytes = 0;

    cgroup_find(root, of_self, "memory.max", "memory.limit_in_bytes", take_limit, &bytes);
    return bytes;
}
