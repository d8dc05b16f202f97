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
};

/* The values of OPENCODE_CONFIG_DIR, XDG_CONFIG_HOME and HOME; each may be NULL. -1 when out of
 * memory. config_paths_free() is due in both cases. */
int config_paths_build(struct config_paths *paths, const char *root, const char *opencode_dir,
                       const char *xdg_config, const char *home);
void config_paths_free(struct config_paths *paths);

#endif
