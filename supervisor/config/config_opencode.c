#include "supervisor/config/config_opencode.h"

#include "supervisor/config/session_text.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* OpenCode uses up to 1 GB in a long session; more than this is a leak. */
#define MEMORY_LIMIT_MB 3072L
#define BYTES_PER_MIB (1024 * 1024)
#define KIB_PER_MIB 1024
#define LOOPBACK "127.0.0.1"
#define DEFAULT_PROVIDER "anthropic"

/* Of a small sandbox not all, so that OpenCode is started anew before the kernel kills something. */
static void parse_memory_limit(struct config *config, const char *flag, uint64_t sandbox_memory)
{
    uint64_t most = sandbox_memory / 4 * 3 / BYTES_PER_MIB;
    long limit = most > 0 && most < MEMORY_LIMIT_MB ? (long)most : MEMORY_LIMIT_MB;

    if (flag)
        config_env_parse_whole(flag, &limit); /* flags_parse() knows that it is one */
    config->opencode_memory_limit_kib = (uint64_t)limit * KIB_PER_MIB;
}

static void parse_model(struct config *config)
{
    config->provider = session_text(config->session, "provider");
    if (!config->provider)
        config->provider = strdup(DEFAULT_PROVIDER);
    config->model = session_text(config->session, "model");
    if (!config->model)
        config->model =
            strdup(config->era == ERA_LEGACY ? "claude-sonnet-4-5" : "claude-sonnet-4-6");
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "localhost") == 0 ||
           strcmp(host, "::1") == 0;
}

static bool is_address(const char *host)
{
    struct in6_addr address;

    return strcmp(host, "localhost") == 0 || inet_pton(AF_INET, host, &address) == 1 ||
           inet_pton(AF_INET6, host, &address) == 1;
}

/* S-80 and decision 6: on loopback nobody needs a password, and one that a user's secret happens to
 * set would only lock us out; elsewhere there is always one. */
static void parse_address(struct config *config, const struct config_env *env, const char *flag,
                          const char *random_password)
{
    config->opencode_host =
        flag && *flag ? strdup(flag) : config_env_copy(env, "OPENCODE_HOSTNAME", LOOPBACK);
    if (!config->opencode_host)
        return;
    if (!is_address(config->opencode_host))
        config_env_problem(env, flag && *flag ? "--opencode-host" : "OPENCODE_HOSTNAME",
                           "must be an IPv4 or IPv6 address, or localhost: OpenCode listens there");
    if (is_loopback(config->opencode_host))
        return;
    config->opencode_username = config_env_copy(env, "OPENCODE_SERVER_USERNAME", "opencode");
    config->opencode_password = config_env_copy(env, "OPENCODE_SERVER_PASSWORD", random_password);
}

/* What is staged for it on demand. It asks for routes that an older control plane does not have (S-105). */
static void parse_extras(struct config *config, const struct config_env *env)
{
    const char *slack = config_env_get(env, "AGENT_SLACK_NOTIFY_ENABLED");

    if (config->era == ERA_LEGACY)
        return;
    config->slack_notify = slack && strcasecmp(slack, "true") == 0; /* S-34 */
    config->openai_managed = config_env_get(env, "OPENAI_OAUTH_MANAGED") != NULL;
    config->xai_managed = config_env_get(env, "XAI_OAUTH_MANAGED") != NULL;
}

void config_opencode_parse(struct config *config, const struct config_env *env,
                           const struct flags *flags, const char *random_password,
                           uint64_t sandbox_memory)
{
    parse_memory_limit(config, flags->opencode_memory_limit_mb, sandbox_memory);
    parse_model(config);
    parse_address(config, env, flags->opencode_host, random_password);
    parse_extras(config, env);
    config->opencode_snapshot = flags->opencode_snapshot;
}
