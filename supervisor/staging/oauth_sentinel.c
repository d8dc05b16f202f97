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

/* Exactly the sentinel: the plugin keeps a real token in it while it works, and a snapshot that one (S-295). */
static bool put_sentinel(cJSON *auth, const char *provider)
{
    cJSON *entry = cJSON_CreateObject();

    json_add_string(entry, "type", "oauth");
    json_add_string(entry, "refresh", SENTINEL);
    json_add_string(entry, "access", "");
    json_add_number(entry, "expires", 0);
    if (cJSON_Compare(json_get(auth, provider), entry, true)) {
        cJSON_Delete(entry);
        return false;
    }
    json_put(auth, provider, entry);
    return true;
}

bool oauth_sentinel_edit(cJSON *auth, bool openai, bool xai)
{
    bool changed = false;

    for (cJSON *entry = auth->child, *next; entry; entry = next) {
        bool managed = (openai && strcmp(entry->string, "openai") == 0) ||
                       (xai && strcmp(entry->string, "xai") == 0);

        next = entry->next;
        if (managed || !is_ours(entry))
            continue;
        cJSON_Delete(cJSON_DetachItemViaPointer(auth, entry));
        changed = true;
    }
    if (openai)
        changed = put_sentinel(auth, "openai") || changed;
    return (xai && put_sentinel(auth, "xai")) || changed;
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
    /* One that is as it should be is written all the same: its mode may not be. */
    if (!oauth_sentinel_edit(auth, config->openai_managed, config->xai_managed) && !managed)
        return;
    if (write_auth(path, auth, &err) == 0)
        log_providers(auth, log);
    else
        log_at(log, LOG_WARNING, "managed_oauth.setup_error", LOG_ERR(&err));
}
