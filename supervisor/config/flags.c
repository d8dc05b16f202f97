#include "supervisor/config/flags.h"

#include "supervisor/config/config_env.h"

#include <stddef.h>
#include <string.h>

const char flags_usage[] =
    "usage: oi-supervisor [options]\n"
    "Runs one sandbox as the environment describes it: repositories, hooks, OpenCode, bridge.\n"
    "\n"
    "  --era auto|legacy|current  which contract the launcher follows (auto: look at the "
    "variables)\n"
    "  --bridge-cmd PATH          the bridge program (default: oi-bridge beside this program)\n"
    "  --bridge-early-connect     connect before the sandbox can answer prompts\n"
    "  --opencode-host ADDR       the address OpenCode listens on (default 127.0.0.1)\n"
    "  --opencode-memory-limit-mb N\n"
    "                             more than this, and an idle OpenCode is started anew; 0: never\n"
    "                             (default 3072, in a small sandbox 3/4 of its memory)\n"
    "  --opencode-snapshot        OpenCode keeps a copy of the tree at every step (slow in large "
    "trees)\n"
    "  --log-service NAME         the `service` of log lines (default sandbox)\n"
    "  --test-root DIR            a directory to use instead of / for the files of the sandbox\n"
    "  --await-modal-image-build-token-stdin-v1\n"
    "                             an image build on Modal: its callback's token comes on standard "
    "input\n"
    "  --check                    say all that is wrong with the environment, and exit\n"
    "  --plan                     print what would be done in this environment, and exit\n"
    "  --version                  versions of this program and its libraries\n"
    "  --help                     this text\n"
    "\n"
    "exit status: 0 orderly end, 1 fatal error or bad environment, 2 bad command line\n";

/* The value of `--name VALUE` or `--name=VALUE`; NULL when argv[*at] is another option. */
static const char *take_value(int argc, char *const argv[], int *at, const char *name,
                              struct err *err)
{
    size_t len = strlen(name);

    if (strncmp(argv[*at], name, len) != 0)
        return NULL;
    if (argv[*at][len] == '=')
        return argv[*at] + len + 1;
    if (argv[*at][len] != '\0')
        return NULL;
    if (*at + 1 >= argc) {
        err_set(err, ERR_CONFIG, "%s needs a value", name);
        return NULL;
    }
    return argv[++*at];
}

static int parse_era(const char *word, struct flags *flags, struct err *err)
{
    if (strcmp(word, "auto") == 0)
        flags->era = ERA_CHOICE_AUTO;
    else if (strcmp(word, "legacy") == 0)
        flags->era = ERA_CHOICE_LEGACY;
    else if (strcmp(word, "current") == 0)
        flags->era = ERA_CHOICE_CURRENT;
    else
        return err_set(err, ERR_CONFIG, "--era: must be auto, legacy or current");
    return 0;
}

static bool parse_switch(const char *word, struct flags *flags)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        flags->action = FLAGS_HELP;
    else if (strcmp(word, "--version") == 0)
        flags->action = FLAGS_VERSION;
    else if (strcmp(word, "--check") == 0)
        flags->action = FLAGS_CHECK;
    else if (strcmp(word, "--plan") == 0)
        flags->action = FLAGS_PLAN;
    else if (strcmp(word, "--bridge-early-connect") == 0)
        flags->bridge_early_connect = true;
    else if (strcmp(word, "--opencode-snapshot") == 0)
        flags->opencode_snapshot = true;
    else if (strcmp(word, "--await-modal-image-build-token-stdin-v1") == 0)
        flags->await_modal_token = true;
    else
        return false;
    return true;
}

static bool is_memory_limit(const char *text)
{
    long megabytes;

    return config_env_parse_whole(text, &megabytes) && megabytes >= 0 &&
           megabytes <= FLAGS_MEMORY_LIMIT_MOST_MB;
}

int flags_parse(int argc, char *const argv[], struct flags *flags, struct err *err)
{
    *flags = (struct flags){.action = FLAGS_RUN, .era = ERA_CHOICE_AUTO, .test_root = ""};
    struct {
        const char *name;
        const char **value;
    } options[] = {
        {"--test-root", &flags->test_root},
        {"--bridge-cmd", &flags->bridge_command},
        {"--opencode-host", &flags->opencode_host},
        {"--opencode-memory-limit-mb", &flags->opencode_memory_limit_mb},
        {"--log-service", &flags->log_service},
        {"--worker", &flags->worker},
    };

    err_clear(err);
    for (int at = 1; at < argc; at++) {
        const char *value = take_value(argc, argv, &at, "--era", err);
        bool known = value || parse_switch(argv[at], flags);

        if (value && parse_era(value, flags, err) != 0)
            return -1;
        for (size_t i = 0; !known && i < sizeof options / sizeof options[0]; i++) {
            value = take_value(argc, argv, &at, options[i].name, err);
            known = value != NULL;
            if (known)
                *options[i].value = value;
        }
        if (err && err->class != ERR_NONE)
            return -1;
        if (!known)
            return err_set(err, ERR_CONFIG, "unknown argument: %s", argv[at]);
    }
    if (flags->opencode_memory_limit_mb && !is_memory_limit(flags->opencode_memory_limit_mb))
        return err_set(err, ERR_CONFIG, "--opencode-memory-limit-mb: must be 0 to %ld",
                       FLAGS_MEMORY_LIMIT_MOST_MB);
    if (flags->worker)
        flags->action = FLAGS_WORKER;
    return 0;
}
