#include "supervisor/config/config_paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *join(const char *root, const char *path)
{
    size_t size = strlen(root) + strlen(path) + 1;
    char *joined = malloc(size);

    if (joined)
        snprintf(joined, size, "%s%s", root, path);
    return joined;
}

static char *find_opencode_home(const char *opencode_dir, const char *xdg_config, const char *home)
{
    if (opencode_dir)
        return strdup(opencode_dir);
    if (xdg_config)
        return join(xdg_config, "/opencode");
    return join(home ? home : "/root", "/.config/opencode");
}

int config_paths_build(struct config_paths *paths, const char *root, const char *opencode_dir,
                       const char *xdg_config, const char *home)
{
    *paths = (struct config_paths){
        .root = strdup(root),
        .workspace = join(root, "/workspace"),
        .manifest = join(root, "/tmp/oi-repo-manifest.json"),
        .boot_warnings = join(root, "/tmp/oi-boot-warnings.jsonl"),
        .tunnels = join(root, "/workspace/.tunnels.env"),
        .assets = join(root, "/app/sandbox_runtime"),
        .opencode_deps = join(root, "/app/opencode-deps"),
        .opencode_home = find_opencode_home(opencode_dir, xdg_config, home),
    };
    return paths->root && paths->workspace && paths->manifest && paths->boot_warnings &&
                   paths->tunnels && paths->assets && paths->opencode_deps && paths->opencode_home
               ? 0
               : -1;
}

void config_paths_free(struct config_paths *paths)
{
    free(paths->root);
    free(paths->workspace);
    free(paths->manifest);
    free(paths->boot_warnings);
    free(paths->tunnels);
    free(paths->assets);
    free(paths->opencode_deps);
    free(paths->opencode_home);
    *paths = (struct config_paths){0};
}
