#include "supervisor/staging/legacy_tool.h"

#include "common/cleanup.h"
#include "common/file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define TOOL "create-pull-request.js"
#define TOOL_MAX (256 * 1024)
#define FILE_MODE 0644
#define DIRECTORY_MODE 0755

/* Whether `name` below the image's directory is there; its path goes into `path`. */
static bool find(const struct config *config, const char *name, char *path)
{
    return snprintf(path, PATH_MAX, "%s%s", config->paths.root, name) < PATH_MAX &&
           file_exists(path);
}

/* Whether there is one to be copied, from `tool` to `own`. */
static bool is_wanted(const struct config *config, char *tool, char *own)
{
    return config->era == ERA_LEGACY && !find(config, "/app/sandbox_runtime/tools/" TOOL, own) &&
           (find(config, "/app/sandbox/inspect-plugin.js", tool) ||
            find(config, "/app/inspect-plugin.js", tool)) &&
           snprintf(own, PATH_MAX, "%s/tool/" TOOL, config->paths.opencode_home) < PATH_MAX;
}

int legacy_tool_stage(const struct config *config, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(TOOL_MAX);
    char tool[PATH_MAX], own[PATH_MAX], folder[PATH_MAX];

    if (!is_wanted(config, tool, own))
        return 0;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(own, '/') - own), own);
    if (file_read(tool, &text, err) != 0 || file_make_directories(folder, DIRECTORY_MODE, err) != 0)
        return -1;
    return file_write_atomic(own, text.data, text.len, FILE_MODE, false, err);
}

bool legacy_tool_is_there(const struct config *config)
{
    char tool[PATH_MAX], own[PATH_MAX];

    return !is_wanted(config, tool, own) || file_exists(own);
}

void legacy_tool_name_deps(const struct config *config, char *path)
{
    if (config->era == ERA_LEGACY &&
        find(config, "/usr/lib/node_modules/@opencode-ai/plugin", path) &&
        !file_exists(config->paths.opencode_deps))
        find(config, "/usr/lib", path);
    else
        snprintf(path, PATH_MAX, "%s", config->paths.opencode_deps);
}
