/*
 * Where the files of contract section 12 are, behind --test-root. Pure. The struct owns its strings.
 */
#ifndef SUPERVISOR_CONFIG_CONFIG_PATHS_H
#define SUPERVISOR_CONFIG_CONFIG_PATHS_H

struct config_paths {
    char *root;          /* the test root; "" in a sandbox */
    char *workspace;     /* /workspace */
    char *manifest;      /* /tmp/oi-repo-manifest.json */
    char *boot_warnings; /* /tmp/oi-boot-warnings.jsonl */
    char *tunnels;       /* /workspace/.tunnels.env */
    char *assets;        /* /app/sandbox_runtime: tools, plugins, skills, bin */
    char *opencode_deps; /* /app/opencode-deps */
    char *opencode_home; /* OpenCode's global configuration directory (S-288) */
    char *opencode_auth; /* OpenCode's file of credentials (S-295) */
    char *home;
    char *commands;      /* where our commands go (S-292) */
    char *home_commands; /* and where when that is not writable */
};

/* What the variables of these names say; each may be NULL. */
struct config_paths_env {
    const char *home;
    const char *opencode_config_dir;
    const char *xdg_config_home;
    const char *xdg_data_home;
    const char *bin_install_dir; /* OPENINSPECT_BIN_INSTALL_DIR */
};

/* -1 when out of memory. config_paths_free() is due in both cases. */
int config_paths_build(struct config_paths *paths, const char *root,
                       const struct config_paths_env *env);
void config_paths_free(struct config_paths *paths);

#endif
