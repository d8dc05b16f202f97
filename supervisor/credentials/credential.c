#include "supervisor/credentials/credential.h"

#include "common/ascii.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

/* As a double: what a JavaScript control plane can mean by a time. */
#define LATEST_EXPIRY_MS 8.64e15
/* U+0000 inside the process (common/wtf8.h). */
#define NUL_IN_WTF8 "\xc0\x80"

void credential_wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void credential_free(struct credential *credential)
{
    credential_wipe(credential->username);
    credential_wipe(credential->password);
    free(credential->endpoint);
    *credential = (struct credential){0};
}

/* git's protocol is lines: a newline in a value would become a key of its own (S-238). */
static bool is_usable(const char *value)
{
    if (!value || !*value || strstr(value, NUL_IN_WTF8))
        return false;
    for (; *value; value++) {
        if (ascii_is_control((unsigned char)*value))
            return false;
    }
    return true;
}

int credential_parse(const char *text, size_t len, struct credential *credential, struct err *err)
{
    AUTO_SECRET_JSON cJSON *object = json_parse(text, len, NULL);
    const char *username = json_get_string(object, "username");
    const char *password = json_get_string(object, "password");
    const char *endpoint = json_get_string(object, "endpoint");
    double expires = 0;

    *credential = (struct credential){0};
    if (!cJSON_IsObject(object))
        return err_set(err, ERR_PROTOCOL, "no JSON object");
    if (!is_usable(username) || !is_usable(password))
        return err_set(err, ERR_PROTOCOL, "%s is missing or unusable",
                       is_usable(username) ? "password" : "username");
    if (!json_get_number(object, "expires_at_epoch_ms", &expires) || !(expires > 0))
        return err_set(err, ERR_PROTOCOL, "expires_at_epoch_ms is missing or unusable");
    if (expires > LATEST_EXPIRY_MS)
        expires = LATEST_EXPIRY_MS;
    credential->username = strdup(username);
    credential->password = strdup(password);
    credential->expires_at_ms = (uint64_t)expires;
    credential->endpoint = endpoint ? strdup(endpoint) : NULL;
    if (credential->username && credential->password && !endpoint == !credential->endpoint)
        return 0;
    credential_free(credential);
    return err_set(err, ERR_NO_MEMORY, "out of memory");
}

bool credential_is_fresh(const struct credential *credential, uint64_t now_ms)
{
    return credential->expires_at_ms > now_ms &&
           credential->expires_at_ms - now_ms > CREDENTIAL_SPARE_MS;
}
