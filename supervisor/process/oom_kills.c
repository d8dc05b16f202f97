#include "supervisor/process/oom_kills.h"

#include "common/file.h"
#include "supervisor/process/cgroup.h"

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

static bool take(void *user, const char *path)
{
    struct oom_kills *kills = user;

    if (!read_count(path, &kills->seen))
        return false;
    snprintf(kills->path, sizeof kills->path, "%s", path);
    return true;
}

void oom_kills_init(struct oom_kills *kills, const char *cgroup_root, const char *of_self)
{
    *kills = (struct oom_kills){.limit_bytes = cgroup_memory_limit(cgroup_root, of_self)};
    cgroup_find(cgroup_root, of_self, "memory.events", "memory.oom_control", take, kills);
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
