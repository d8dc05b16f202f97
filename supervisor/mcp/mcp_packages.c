#include "supervisor/mcp/mcp_packages.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <string.h>

#define WORD "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* Skips a word character and then word characters, "." and "-". NULL when there is none. */
static const char *skip_name(const char *at)
{
    if (!*at || !strchr(WORD, *at))
        return NULL;
    return at + strspn(at, WORD ".-");
}

bool mcp_package_is_valid(const char *package)
{
    const char *at = package;

    if (*at == '@') {
        at = skip_name(at + 1);
        if (!at || *at++ != '/')
            return false;
    }
    at = skip_name(at);
    if (at && *at == '@')
        at = at[1] ? at + 1 + strspn(at + 1, WORD ".-") : NULL;
    return at && !*at;
}

static bool is_remote(const cJSON *server)
{
    const char *type = json_get_string(server, "type");

    return type && strcmp(type, "remote") == 0;
}

static bool takes_value(const char *word)
{
    static const char *const options[] = {"--registry",  "--cache",  "--userconfig", "-w",
                                          "--workspace", "--prefix", "-c",           "--call"};

    for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
        if (strcmp(word, options[i]) == 0)
            return true;
    }
    return false;
}

static const char *word_of(const cJSON *word)
{
    return cJSON_IsString(word) ? word->valuestring : "";
}

static void add_once(cJSON *array, const char *text)
{
    const cJSON *known;

    cJSON_ArrayForEach(known, array) {
        if (strcmp(known->valuestring, text) == 0)
            return;
    }
    cJSON_AddItemToArray(array, cJSON_CreateString(text));
}

static void add_package(struct mcp_packages *packages, const char *package)
{
    add_once(mcp_package_is_valid(package) ? packages->valid : packages->invalid, package);
}

/* `npx ARGUMENTS`: every -p and --package, else the first word that is no option. What follows that
 * are the server's own arguments. */
static void add_packages(struct mcp_packages *packages, const cJSON *arguments)
{
    static const char flag[] = "--package=";
    bool named = false;

    for (const cJSON *word = arguments; word; word = word->next) {
        const char *text = word_of(word);
        bool apart = strcmp(text, "-p") == 0 || strcmp(text, "--package") == 0;
        bool joined = strncmp(text, flag, sizeof flag - 1) == 0;

        if (joined || (apart && word->next)) {
            add_package(packages, joined ? text + sizeof flag - 1 : word_of(word->next));
            named = true;
        }
        if ((apart || takes_value(text)) && word->next) {
            word = word->next;
        } else if (*text != '-') {
            if (!named)
                add_package(packages, text);
            return;
        }
    }
}

struct mcp_packages mcp_packages_of(const cJSON *session)
{
    struct mcp_packages packages = {cJSON_CreateArray(), cJSON_CreateArray()};
    const cJSON *server;

    cJSON_ArrayForEach(server, json_get_array(session, "mcp_servers")) {
        const cJSON *command = json_get_array(server, "command");

        if (!json_get_nonempty(server, "name") || is_remote(server) || !command ||
            !command->child || strcmp(word_of(command->child), "npx") != 0)
            continue;
        add_packages(&packages, command->child->next);
    }
    return packages;
}

void mcp_packages_free(struct mcp_packages *packages)
{
    cJSON_Delete(packages->valid);
    cJSON_Delete(packages->invalid);
}
