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

static char *find_opencode_home(const struct config_paths_env *env, const char *home)
{
    if (env->opencode_config_dir)
        return strdup(env->opencode_config_dir);
    return env->xdg_config_home ? join(env->xdg_config_home, "/opencode")
                                : join(home, "/.config/opencode");
}

int config_paths_build(struct config_paths *paths, const char *root,
                       const struct config_paths_env *env)
{
    const char *home = env->home ? env->home : "/root";

    *paths = (struct config_paths){
        .root = strdup(root),
        .workspace = join(root, "/workspace"),
        .manifest = join(root, "/tmp/oi-repo-manifest.json"),
        .boot_warnings = join(root, "/tmp/oi-boot-warnings.jsonl"),
        .tunnels = join(root, "/workspace/.tunnels.env"),
        .assets = join(root, "/app/sandbox_runtime"),
        .opencode_deps = join(root, "/app/opencode-deps"),
        .opencode_home = find_opencode_home(env, home),
        .opencode_auth = env->xdg_data_home ? join(env->xdg_data_home, "/opencode/auth.json")
                                            : join(home, "/.local/share/opencode/auth.json"),
        .home = strdup(home),
        .commands =
            env->bin_install_dir ? strdup(env->bin_install_dir) : join(root, "/usr/local/bin"),
        .home_commands = join(home, "/.local/bin"),
    };
    return paths->root && paths->workspace && paths->manifest && paths->boot_warnings &&
                   paths->tunnels && paths->assets && paths->opencode_deps &&
                   paths->opencode_home && paths->opencode_auth && paths->home && paths->commands &&
                   paths->home_commands
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
    free(paths->opencode_auth);
    free(paths->home);
    free(paths->commands);
    free(paths->home_commands);
    *paths = (struct config_paths){0};
}
