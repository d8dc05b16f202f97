#include "bridge/identity/signing_config.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/trim.h"

#include <string.h>

#define NAME_MAX_CHARS 256
#define EMAIL_MIN_CHARS 3
#define EMAIL_MAX_CHARS 320
#define PADDING_MAX 2
#define KEY_TYPE "ssh-ed25519 "
#define BASE64_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#define KEY_MAX_BYTES ((size_t)16 * 1024)

static size_t count_code_points(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool is_name(const char *name)
{
    size_t len = 0;

    if (name)
        trim_both(name, &len);
    return len > 0 && count_code_points(name) <= NAME_MAX_CHARS;
}

/* x@y.z without white space and with one "@". */
static bool is_email(const char *email)
{
    const char *at = email ? strchr(email, '@') : NULL;
    size_t len = email ? count_code_points(email) : 0;
    const char *dot;

    if (!at || at == email || !at[1] || strchr(at + 1, '@') || trim_has_blank(email) ||
        len < EMAIL_MIN_CHARS || len > EMAIL_MAX_CHARS)
        return false;
    dot = strchr(at + 2, '.');
    return dot && dot[1] != '\0';
}

static bool is_key(const char *key)
{
    size_t digits;
    size_t padding;

    if (!key || strncmp(key, KEY_TYPE, sizeof KEY_TYPE - 1) != 0)
        return false;
    key += sizeof KEY_TYPE - 1;
    digits = strspn(key, BASE64_CHARS);
    padding = strspn(key + digits, "=");
    return digits > 0 && padding <= PADDING_MAX && key[digits + padding] == '\0';
}

int signing_config_read(const cJSON *answer, struct signing_config *config, struct err *err)
{
    const cJSON *enabled = json_get(answer, "enabled");
    int members = cJSON_IsObject(answer) ? cJSON_GetArraySize(answer) : 0;

    *config = (struct signing_config){
        .enabled = cJSON_IsTrue(enabled),
        .committer_name = json_get_string(answer, "committerName"),
        .committer_email = json_get_string(answer, "committerEmail"),
        .public_key = json_get_string(answer, "publicKey"),
    };
    if (cJSON_IsFalse(enabled) && members == 1)
        return 0;
    if (config->enabled && members == 4 && is_name(config->committer_name) &&
        is_email(config->committer_email) && is_key(config->public_key))
        return 0;
    return err_set(err, ERR_PROTOCOL, "Invalid commit signing configuration");
}

/* NULL removes. */
static void add(cJSON *changes, const char *key, const char *value)
{
    cJSON *pair = cJSON_CreateArray();

    cJSON_AddItemToArray(pair, cJSON_CreateString(key));
    cJSON_AddItemToArray(pair, value ? cJSON_CreateString(value) : cJSON_CreateNull());
    cJSON_AddItemToArray(changes, pair);
}

static cJSON *disabled_changes(const struct prompt_author *author)
{
    static const char *const removed[] = {
        "author.name", "author.email",    "committer.name",  "committer.email",
        "gpg.format",  "gpg.ssh.program", "user.signingkey", "commit.gpgsign",
    };
    cJSON *changes = cJSON_CreateArray();

    for (size_t i = 0; i < ARRAY_LENGTH(removed); i++)
        add(changes, removed[i], NULL);
    add(changes, "user.name", author->name ? author->name : PROMPT_AUTHOR_BOT_NAME);
    add(changes, "user.email", author->name ? author->email : PROMPT_AUTHOR_BOT_EMAIL);
    return changes;
}

cJSON *signing_config_changes(const struct signing_config *config,
                              const struct prompt_author *author, const char *signer)
{
    AUTO_BUF struct buf key = BUF_INIT(KEY_MAX_BYTES);
    const char *name = author->name ? author->name : config->committer_name;
    const char *email = author->name ? author->email : config->committer_email;
    cJSON *changes;

    if (!config->enabled)
        return disabled_changes(author);
    buf_printf(&key, "key::%s", config->public_key);
    changes = cJSON_CreateArray();
    add(changes, "committer.name", config->committer_name);
    add(changes, "committer.email", config->committer_email);
    add(changes, "gpg.format", "ssh");
    add(changes, "gpg.ssh.program", signer);
    add(changes, "user.signingkey", buf_text(&key));
    add(changes, "commit.gpgsign", "true");
    add(changes, "author.name", name);
    add(changes, "author.email", email);
    add(changes, "user.name", name);
    add(changes, "user.email", email);
    return changes;
}

cJSON *signing_config_identity_changes(const struct prompt_author *author)
{
    cJSON *changes = cJSON_CreateArray();

    add(changes, "user.name", author->name ? author->name : PROMPT_AUTHOR_BOT_NAME);
    add(changes, "user.email", author->name ? author->email : PROMPT_AUTHOR_BOT_EMAIL);
    return changes;
}
