#include "supervisor/staging/oauth_sentinel.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"

#include <stdio.h>
#include <string.h>

#define AUTH_MAX (1024 * 1024)
#define DIRECTORY_MODE 0755
#define FILE_MODE 0600
#define SENTINEL "managed-by-control-plane"

static bool is_ours(const cJSON *entry)
{
    const char *refresh = json_get_string(entry, "refresh");

    return refresh && strcmp(refresh, SENTINEL) == 0;
}

static bool edit_one(cJSON *auth, const char *provider, bool managed)
{
    bool ours = is_ours(json_get(auth, provider));
    cJSON *entry;

    if (managed == ours)
        return false;
    if (!managed) {
        cJSON_DeleteItemFromObjectCaseSensitive(auth, provider);
        return true;
    }
    entry = cJSON_CreateObject();
    json_add_string(entry, "type", "oauth");
    json_add_string(entry, "refresh", SENTINEL);
    json_add_string(entry, "access", "");
    json_add_number(entry, "expires", 0);
    json_put(auth, provider, entry);
    return true;
}

bool oauth_sentinel_edit(cJSON *auth, bool openai, bool xai)
{
    bool changed = edit_one(auth, "openai", openai);

    return edit_one(auth, "xai", xai) || changed;
}

static void log_providers(const cJSON *auth, struct log *log)
{
    AUTO_BUF struct buf keys = BUF_INIT(LOG_LINE_MAX);
    const cJSON *entry;

    cJSON_ArrayForEach(entry, auth) {
        buf_putc(&keys, keys.len ? ',' : '[');
        json_print_string(entry->string, strlen(entry->string), &keys);
    }
    buf_puts(&keys, keys.len ? "]" : "[]");
    log_at(log, LOG_INFO, "managed_oauth.setup", LOG_JSON("providers", buf_text(&keys)));
}

static int write_auth(const char *path, const cJSON *auth, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(2 * AUTH_MAX);
    AUTO_FREE char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));

    json_print(auth, &text);
    if (!directory || buf_failed(&text))
        return err_set(err, ERR_NO_MEMORY, "write %s", path);
    if (file_make_directories(directory, DIRECTORY_MODE, err) != 0)
        return -1;
    return file_write_atomic(path, text.data, text.len, FILE_MODE, false, err);
}

void oauth_sentinel_update(const struct config *config, struct log *log)
{
    AUTO_BUF struct buf text = BUF_INIT(AUTH_MAX);
    AUTO_JSON cJSON *auth = NULL;
    const char *path = config->paths.opencode_auth;
    bool managed = config->openai_managed || config->xai_managed;
    struct err err = {0};

    if (file_read(path, &text, &err) == 0)
        auth = json_parse(buf_text(&text), text.len, &err);
    if (!cJSON_IsObject(auth)) {
        if (!managed)
            return;
        if (auth || err.class == ERR_PROTOCOL)
            log_at(log, LOG_WARNING, "managed_oauth.existing_auth_invalid", LOG_STR("path", path));
        cJSON_Delete(auth);
        auth = cJSON_CreateObject();
    }
    if (!oauth_sentinel_edit(auth, config->openai_managed, config->xai_managed))
        return;
    if (write_auth(path, auth, &err) == 0)
        log_providers(auth, log);
    else
        log_at(log, LOG_WARNING, "managed_oauth.setup_error", LOG_ERR(&err));
}
