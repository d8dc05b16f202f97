#include "bridge/control_plane/boot_progress.h"

#include "common/cleanup.h"
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

static const char *const phases[] = {"starting", "sync", "setup", "start", "skills", "harness"};
static const char *const statuses[] = {"started", "completed", "failed"};

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; word && i < count; i++) {
        if (strcmp(word, words[i]) == 0)
            return true;
    }
    return false;
}

static void copy(cJSON *event, const cJSON *line, const char *name, const char *as)
{
    const cJSON *value = json_get(line, name);

    if (value)
        json_put(event, as, cJSON_Duplicate(value, true));
}

cJSON *boot_progress_event(const cJSON *line)
{
    static const char *const as_it_is[] = {"phase",  "status",    "warning", "elapsedMs",
                                           "detail", "repoOwner", "repoName"};
    double seq;
    cJSON *event;

    if (!is_one_of(json_get_string(line, "phase"), phases, ARRAY_LENGTH(phases)) ||
        !is_one_of(json_get_string(line, "status"), statuses, ARRAY_LENGTH(statuses)) ||
        !json_get_number(line, "seq", &seq))
        return NULL;
    event = cJSON_CreateObject();
    json_add_string(event, "type", "boot_progress");
    copy(event, line, "seq", "bootSeq");
    for (size_t i = 0; i < ARRAY_LENGTH(as_it_is); i++)
        copy(event, line, as_it_is[i], as_it_is[i]);
    copy(event, line, "at", "timestamp");
    return event;
}
