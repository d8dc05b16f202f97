#include "bridge/control_plane/greeting.h"

#include "common/file.h"
#include "common/json.h"
#include "common/line_splitter.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define WARNINGS_FILE_MAX_BYTES ((size_t)1024 * 1024)
#define WARNING_LINE_MAX_BYTES ((size_t)64 * 1024)

static cJSON *baseline(const struct manifest_entry *entry)
{
    cJSON *repository = cJSON_CreateObject();

    json_add_number(repository, "position", entry->position);
    json_add_string(repository, "repoOwner", entry->owner);
    json_add_string(repository, "repoName", entry->name);
    json_add_string(repository, "baseSha", entry->base_sha);
    return repository;
}

cJSON *greeting_ready_event(const char *opencode_session_id, const char *runtime_version,
                            const struct manifest *manifest)
{
    cJSON *event = cJSON_CreateObject(), *repositories = cJSON_CreateArray();

    json_add_string(event, "type", "ready");
    json_put(event, "opencodeSessionId",
             opencode_session_id ? cJSON_CreateString(opencode_session_id) : cJSON_CreateNull());
    if (runtime_version && *runtime_version)
        json_add_string(event, "runtimeVersion", runtime_version);
    for (size_t i = 0; i < manifest->count; i++) {
        if (manifest->entries[i].base_sha)
            cJSON_AddItemToArray(repositories, baseline(&manifest->entries[i]));
    }
    json_put(event, "repositories", repositories);
    return event;
}

/* The control plane drops a warning with any other scope (B-416). */
static const char *known_scope(const char *scope)
{
    static const char *const scopes[] = {"sync", "setup", "start", "assembly", "secrets", "media"};

    for (size_t i = 0; scope && i < sizeof scopes / sizeof scopes[0]; i++) {
        if (strcmp(scope, scopes[i]) == 0)
            return scope;
    }
    return "setup";
}

cJSON *greeting_warning_event(const cJSON *warning)
{
    const char *message = json_get_nonempty(warning, "message");
    cJSON *event;

    if (!message)
        return NULL;
    event = cJSON_CreateObject();
    json_add_string(event, "type", "warning");
    json_add_string(event, "scope", known_scope(json_get_string(warning, "scope")));
    json_add_string(event, "message", message);
    json_add_string(event, "repoOwner", json_get_nonempty(warning, "repoOwner"));
    json_add_string(event, "repoName", json_get_nonempty(warning, "repoName"));
    return event;
}

static void on_line(void *user, char *line, size_t len, size_t dropped)
{
    AUTO_JSON cJSON *warning = dropped ? NULL : json_parse_in_place(line, len, NULL);
    cJSON *event = greeting_warning_event(warning);

    if (event)
        cJSON_AddItemToArray(user, event);
}

cJSON *greeting_take_warnings(const char *path, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(WARNINGS_FILE_MAX_BYTES);
    struct err why = {0};
    struct line_splitter lines;
    cJSON *events;

    if (file_read(path, &text, &why) != 0 && why.class != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return NULL;
    }
    /* Deleted before it is sent: a warning twice is worse than one lost to a crash. */
    if (why.class != ERR_NOT_FOUND && unlink(path) != 0 && errno != ENOENT) {
        err_set_sys(err, errno, "remove %s", path);
        return NULL;
    }
    events = cJSON_CreateArray();
    line_splitter_init(&lines, WARNING_LINE_MAX_BYTES, on_line, events);
    line_splitter_feed(&lines, buf_text(&text), text.len);
    line_splitter_end(&lines);
    line_splitter_free(&lines);
    return events;
}
