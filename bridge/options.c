#include "bridge/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535L
#define AUTH_NOT_SAID OPTIONS_AUTH_COUNT /* until all was read */

const char OPTIONS_USAGE[] =
    "usage: oi-bridge --sandbox-id ID --session-id ID --control-plane URL [--token TOKEN]\n"
    "                 [--token-fd N] [--opencode-port PORT] [--auth header|query|query-only]\n"
    "       oi-bridge --version | --help\n"
    "\n"
    "Relays between one session of a control plane and OpenCode on this machine.\n"
    "\n"
    "  --sandbox-id ID      this sandbox, as the control plane knows it\n"
    "  --session-id ID      the session to serve\n"
    "  --control-plane URL  http(s) address of the control plane\n"
    "  --token TOKEN        credential; better left out: SANDBOX_AUTH_TOKEN does not show in ps\n"
    "  --token-fd N         read the credential from this descriptor up to its end\n"
    "  --opencode-port PORT OpenCode on localhost (4096)\n"
    "  --auth MODE          where the credential goes: header (default, or BRIDGE_WS_AUTH),\n"
    "                       query (URL and headers), query-only\n"
    "\n"
    "exit status: 0 the control plane wants this sandbox gone, 2 bad command line, 1 anything "
    "else\n";

static const char *const AUTH_NAMES[] = {
    [OPTIONS_AUTH_HEADER] = "header",
    [OPTIONS_AUTH_QUERY] = "query",
    [OPTIONS_AUTH_QUERY_ONLY] = "query-only",
};
_Static_assert(sizeof AUTH_NAMES / sizeof AUTH_NAMES[0] == OPTIONS_AUTH_COUNT, "a name each");

static int parse_number(const char *name, const char *text, long most, long *number,
                        struct err *err)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, 10);
    if (errno || end == text || *end || *number < 0 || *number > most)
        return err_set(err, ERR_CONFIG, "%s: must be a whole number from 0 to %ld", name, most);
    return 0;
}

static int parse_auth(const char *name, const char *text, enum options_auth *auth, struct err *err)
{
    for (int i = 0; i < OPTIONS_AUTH_COUNT; i++) {
        if (strcmp(text, AUTH_NAMES[i]) == 0) {
            *auth = (enum options_auth)i;
            return 0;
        }
    }
    return err_set(err, ERR_CONFIG, "%s: must be header, query or query-only", name);
}

static int take_option(struct options *options, const char *name, const char *value,
                       struct err *err)
{
    const struct {
        const char *name;
        const char **slot;
    } texts[] = {
        {"--sandbox-id", &options->sandbox_id},
        {"--session-id", &options->session_id},
        {"--control-plane", &options->control_plane},
        {"--token", &options->token},
        {"--worker", &options->worker},
    };
    long number;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].slot = value;
            return 0;
        }
    }
    if (strcmp(name, "--opencode-port") == 0) {
        if (parse_number(name, value, PORT_MOST, &number, err) != 0)
            return -1;
        options->opencode_port = (uint16_t)number;
        return 0;
    }
    if (strcmp(name, "--token-fd") == 0) {
        if (parse_number(name, value, INT_MAX, &number, err) != 0)
            return -1;
        options->token_fd = (int)number;
        return 0;
    }
    return parse_auth(name, value, &options->auth, err);
}

/* The option's name without a value that was given with "=", or NULL for what is none. */
static const char *known_option(const char *argument, size_t len)
{
    static const char *const names[] = {"--sandbox-id", "--session-id", "--control-plane",
                                        "--token",      "--token-fd",   "--opencode-port",
                                        "--auth",       "--worker"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == len && strncmp(names[i], argument, len) == 0)
            return names[i];
    }
    return NULL;
}

/* What no argument said. After them: --help must not fail for a variable (B-102). */
static int read_environment(options_lookup_fn *lookup, struct options *options, struct err *err)
{
    const char *auth = lookup("BRIDGE_WS_AUTH");

    if (!options->token && options->token_fd < 0)
        options->token = lookup("SANDBOX_AUTH_TOKEN");
    if (options->auth != AUTH_NOT_SAID)
        return 0;
    options->auth = OPTIONS_AUTH_HEADER;
    return auth ? parse_auth("BRIDGE_WS_AUTH", auth, &options->auth, err) : 0;
}

static int check_required(const struct options *options, struct err *err)
{
    if (!options->sandbox_id)
        return err_set(err, ERR_CONFIG, "--sandbox-id is required");
    if (!options->session_id)
        return err_set(err, ERR_CONFIG, "--session-id is required");
    if (!options->control_plane)
        return err_set(err, ERR_CONFIG, "--control-plane is required");
    if (!options->token && options->token_fd < 0)
        return err_set(err, ERR_CONFIG,
                       "no credential: set SANDBOX_AUTH_TOKEN, or pass --token-fd or --token");
    return 0;
}

static int parse_arguments(int argc, char *const *argv, struct options *options, struct err *err)
{
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i];
        const char *equals = strchr(argument, '=');
        size_t len = equals ? (size_t)(equals - argument) : strlen(argument);
        const char *name;

        if (strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0) {
            options->action = OPTIONS_HELP;
            return 0;
        }
        if (strcmp(argument, "--version") == 0) {
            options->action = OPTIONS_VERSION;
            return 0;
        }
        name = known_option(argument, len);
        if (!name)
            return err_set(err, ERR_CONFIG, "unknown argument: %.*s", (int)len, argument);
        if (!equals && i + 1 == argc)
            return err_set(err, ERR_CONFIG, "%s: a value is missing", name);
        if (take_option(options, name, equals ? equals + 1 : argv[++i], err) != 0)
            return -1;
    }
    return 0;
}

int options_parse(int argc, char *const *argv, options_lookup_fn *lookup, struct options *options,
                  struct err *err)
{
    *options = (struct options){
        .token_fd = -1, .opencode_port = OPTIONS_OPENCODE_PORT_DEFAULT, .auth = AUTH_NOT_SAID};
    if (parse_arguments(argc, argv, options, err) != 0)
        return -1;
    if (options->action != OPTIONS_RUN)
        return 0;
    if (options->worker) {
        options->action = OPTIONS_WORKER;
        return 0;
    }
    if (read_environment(lookup, options, err) != 0)
        return -1;
    return check_required(options, err);
}
