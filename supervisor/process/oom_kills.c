#include "supervisor/process/oom_kills.h"

#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (16 * 1024)
#define KEY "oom_kill "

bool oom_kills_parse(const char *text, uint64_t *count)
{
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, KEY, sizeof KEY - 1) == 0) {
            *count = strtoull(line + sizeof KEY - 1, NULL, 10);
            return true;
        }
    }
    return false;
}

static bool read_count(const char *path, uint64_t *count)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);

    return file_read(path, &text, NULL) == 0 && oom_kills_parse(buf_text(&text), count);
}

static bool take(struct oom_kills *kills, const char *root, const char *hierarchy,
                 const char *group, const char *file)
{
    int len = snprintf(kills->path, sizeof kills->path, "%s%s%s/%s", root, hierarchy, group, file);

    if (len > 0 && (size_t)len < sizeof kills->path && read_count(kills->path, &kills->seen))
        return true;
    kills->path[0] = '\0';
    return false;
}

/* One line of /proc/self/cgroup: "0::/group" (version 2) or "9:memory:/group" (version 1). */
static bool take_line(struct oom_kills *kills, const char *root, char *line)
{
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;

    if (!group)
        return false;
    *group++ = '\0';
    if (strcmp(controllers, ":") == 0)
        return take(kills, root, "", group, "memory.events");
    return strstr(controllers, "memory") &&
           take(kills, root, "/memory", group, "memory.oom_control");
}

void oom_kills_init(struct oom_kills *kills, const char *cgroup_root, const char *of_self)
{
    AUTO_BUF struct buf groups = BUF_INIT(FILE_MAX_BYTES);
    char *next;

    *kills = (struct oom_kills){0};
    if (file_read(of_self, &groups, NULL) == 0) {
        for (char *line = groups.data; line && *line; line = next) {
            next = strchr(line, '\n');
            if (next)
                *next++ = '\0';
            if (take_line(kills, cgroup_root, line))
                return;
        }
    }
    /* In a container the path is often that of the host, and our group is the root that we see. */
    if (!take(kills, cgroup_root, "", "", "memory.events"))
        take(kills, cgroup_root, "/memory", "", "memory.oom_control");
}

uint64_t oom_kills_look(struct oom_kills *kills)
{
    uint64_t now, fresh;

    if (!kills->path[0] || !read_count(kills->path, &now))
        return 0;
    fresh = now > kills->seen ? now - kills->seen : 0;
    kills->seen = now;
    return fresh;
}
