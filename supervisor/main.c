/*
 * oi-supervisor: the first process of a sandbox. Also its own workers (--worker), so that whatever
 * may hang or crash runs in a process that may be killed.
 */
#include "common/clock.h"
#include "common/env.h"
#include "common/log.h"
#include "common/random.h"
#include "common/version.h"
#include "supervisor/boot/plan_print.h"
#include "supervisor/config/config.h"
#include "supervisor/config/config_check.h"
#include "supervisor/config/flags.h"
#include "supervisor/config/secrets.h"
#include "supervisor/config_failure.h"
#include "supervisor/credentials/credential_install.h"
#include "supervisor/credentials/credential_setup.h"
#include "supervisor/credentials/gh_wrapper.h"
#include "supervisor/credentials/git_credentials.h"
#include "supervisor/exit_status.h"
#include "supervisor/git_sync/git_sync_worker.h"
#include "supervisor/image_build/modal_launch.h"
#include "supervisor/library_versions.h"
#include "supervisor/log_output.h"
#include "supervisor/opencode/read_ahead.h"
#include "supervisor/opencode/warm_up.h"
#include "supervisor/process/cgroup.h"
#include "supervisor/report/post_worker.h"
#include "supervisor/signals.h"
#include "supervisor/skills/skills_worker.h"
#include "supervisor/staging/assembly_worker.h"
#include "supervisor/startup.h"
#include "supervisor/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_BYTES 16

static const char *get_variable(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

static int run_worker(const char *name)
{
    if (strcmp(name, "git-sync") == 0)
        return git_sync_worker_main();
    if (strcmp(name, POST_WORKER_NAME) == 0)
        return post_worker_main();
    if (strcmp(name, SKILLS_WORKER_NAME) == 0)
        return skills_worker_main();
    if (strcmp(name, ASSEMBLY_WORKER_NAME) == 0)
        return assembly_worker_main();
    if (strcmp(name, CREDENTIAL_INSTALL_WORKER) == 0)
        return credential_install_main();
    if (strcmp(name, READ_AHEAD_WORKER) == 0)
        return read_ahead_worker_main();
    if (strcmp(name, WARM_UP_WORKER) == 0)
        return warm_up_worker_main();
    fprintf(stderr, "oi-supervisor: no worker \"%s\"\n", name);
    return exit_status_of(SANDBOX_END_USAGE);
}

static int print_versions(void)
{
    char libraries[LIBRARY_VERSIONS_MAX];

    library_versions_print(libraries);
    printf("oi-supervisor %s\n%s\n", version_text(), libraries);
    return 0;
}

/* Out of the environment, and out of the memory that /proc/<pid>/environ shows: who runs as the same user
 * could still read it there. */
static void take_variable(const char *name)
{
    char *value = getenv(name);

    if (value)
        explicit_bzero(value, strlen(value));
    unsetenv(name);
}

/* What children see (S-71, S-72, S-78..S-80); set once, before the first of them. */
static void prepare_environment(const struct config *config)
{
    static const char *const for_us_only[] = {
        "VNC_PASSWORD",
        "CODE_SERVER_PASSWORD",
        "OI_REPO_IMAGE_BUILD_ID",
        "OI_REPO_IMAGE_CALLBACK_URL",
        "OI_REPO_IMAGE_FAILURE_CALLBACK_URL",
        "OI_REPO_IMAGE_CALLBACK_TOKEN",
        "OI_REPO_IMAGE_PROVIDER_SESSION_ID",
        "OPENCODE_SERVER_USERNAME",
        "OPENCODE_SERVER_PASSWORD",
    };

    for (size_t i = 0; i < sizeof for_us_only / sizeof for_us_only[0]; i++)
        take_variable(for_us_only[i]);
    if (config->era == ERA_CURRENT)
        setenv("OPENINSPECT_BOOT_MODE", config_boot_mode_name(config->boot_mode), 1);
    if (config->opencode_password) {
        setenv("OPENCODE_SERVER_USERNAME", config->opencode_username, 1);
        setenv("OPENCODE_SERVER_PASSWORD", config->opencode_password, 1);
    }
}

static int run_sandbox(const struct flags *flags, struct config *config, bool config_is_good,
                       uint64_t started_ms)
{
    const char *service =
        flags->log_service ? flags->log_service : env_get_or("OI_LOG_SERVICE", "sandbox");
    struct log_output output;
    struct log *log = log_new(STDOUT_FILENO, service, "supervisor");
    struct supervisor_options options = {
        .config = config,
        .log = log,
        .log_output = &output,
        .bridge_command = flags->bridge_command,
        .started_ms = started_ms,
    };
    enum modal_launch launch = MODAL_LAUNCH_ACCEPTED;
    int exit_code = exit_status_of(SANDBOX_END_FATAL);

    if (!log) {
        fprintf(stderr, "oi-supervisor: out of memory\n");
        return exit_code;
    }
    log_output_open(&output);
    log_set_sink(log, log_output_write, &output);
    log_set_ids(log, config->sandbox_id, config->session_id);
    secrets_register(log_redact(log), config, environ);
    prepare_environment(config);
    credential_setup_choose_cache(flags->test_root);
    config_check_log(config, log);
    if (flags->await_modal_token)
        launch = modal_launch_wait(STDIN_FILENO, config, log);
    if (launch == MODAL_LAUNCH_CANCELLED) {
        exit_code = exit_status_of(SANDBOX_END_SIGNAL);
    } else if (launch == MODAL_LAUNCH_REFUSED) {
        exit_code = exit_status_of(SANDBOX_END_TOKEN_REFUSED); /* and nobody to tell */
    } else if (!config_is_good) {
        config_failure_report(config, log);
        exit_code = exit_status_of(SANDBOX_END_CONFIG_UNUSABLE);
    } else {
        exit_code = exit_status_of(supervisor_run(&options));
    }
    log_free(log);
    log_output_close(&output);
    return exit_code;
}

/* --plan: for an environment that is not usable there is none. */
static int print_plan(const struct config *config, const struct flags *flags)
{
    struct boot_plan_input input = boot_plan_input_of(config, !flags->bridge_command);
    struct boot_plan plan = boot_plan_make(&input);
    AUTO_BUF struct buf text = BUF_INIT(PLAN_PRINT_MAX);

    if (config->problems.len > 0)
        return config_check_print(config, stderr);
    plan_print(config, &plan, &text);
    return fputs(buf_text(&text), stdout) < 0 || fflush(stdout) != 0;
}

/* S-4: the same program under other names. -1: under its own. */
static int run_other_name(int argc, char *argv[])
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

    if (strcmp(name, GIT_CREDENTIALS_NAME) == 0)
        return git_credentials_main(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "--git-credentials") == 0)
        return git_credentials_main(argc - 2, argv + 2);
    if (strcmp(name, GH_WRAPPER_NAME) == 0)
        return gh_wrapper_main(argv);
    return -1;
}

int main(int argc, char *argv[])
{
    uint64_t started_ms = clock_monotonic_ms();
    char random_password[2 * PASSWORD_BYTES + 1];
    struct flags flags;
    struct config config;
    struct err err;
    bool good;
    int exit_code;

    startup_fill_standard_descriptors();
    exit_code = run_other_name(argc, argv);
    if (exit_code >= 0)
        return exit_code;
    if (flags_parse(argc, argv, &flags, &err) != 0) {
        fprintf(stderr, "oi-supervisor: %s\n%s", err.text, flags_usage);
        return exit_status_of(SANDBOX_END_USAGE);
    }
    if (flags.action == FLAGS_WORKER)
        return run_worker(flags.worker);
    if (flags.action == FLAGS_VERSION)
        return print_versions();
    if (flags.action == FLAGS_HELP)
        return fputs(flags_usage, stdout) < 0;
    if (flags.action == FLAGS_RUN)
        signals_hold();
    startup_find_home();
    random_hex(random_password, PASSWORD_BYTES);
    good = config_parse(&config, &flags, get_variable, NULL, random_password,
                        cgroup_memory_limit(CGROUP_ROOT, CGROUP_OF_SELF)) == 0;
    if (flags.action == FLAGS_CHECK)
        exit_code = config_check_print(&config, stdout);
    else if (flags.action == FLAGS_PLAN)
        exit_code = print_plan(&config, &flags);
    else
        exit_code = run_sandbox(&flags, &config, good, started_ms);
    config_free(&config);
    return exit_code;
}
