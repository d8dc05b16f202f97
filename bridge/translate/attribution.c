#include "bridge/translate/attribution.h"

#include "bridge/translate/fields.h"
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void attribution_init(struct attribution *attribution)
{
    *attribution = (struct attribution){0};
    id_table_init(&attribution->users, ATTRIBUTION_MESSAGES_MAX, NULL);
    id_table_init(&attribution->allowed, ATTRIBUTION_MESSAGES_MAX, NULL);
    id_table_init(&attribution->summaries, ATTRIBUTION_MESSAGES_MAX, NULL);
}

void attribution_clear(struct attribution *attribution)
{
    id_table_clear(&attribution->users);
    id_table_clear(&attribution->allowed);
    id_table_clear(&attribution->summaries);
    free(attribution->own_user_id);
    attribution->own_user_id = NULL;
    attribution->compacted = false;
}

int attribution_start(struct attribution *attribution, const char *user_id, uint64_t wall_ms)
{
    char *copy = strdup(user_id);

    if (!copy)
        return -1;
    free(attribution->own_user_id);
    attribution->own_user_id = copy;
    attribution->started_wall_ms = wall_ms;
    return 0;
}

/* Whole milliseconds of info.time.created; false when it is no finite number. */
static bool creation_time(const cJSON *info, double *created)
{
    return json_get_number(json_get_object(info, "time"), "created", created) &&
           isfinite(*created) && ((void)(*created = trunc(*created)), true);
}

bool attribution_see_user(struct attribution *attribution, const cJSON *info)
{
    const char *id = field_id(info, "id");
    double created;

    if (!id || !attribution->own_user_id)
        return false;
    if (attribution_is_user(attribution, id))
        return true;
    if (creation_time(info, &created) && created < (double)attribution->started_wall_ms)
        return false;
    id_table_add(&attribution->users, id);
    return true;
}

bool attribution_is_user(const struct attribution *attribution, const char *message_id)
{
    return (attribution->own_user_id && strcmp(attribution->own_user_id, message_id) == 0) ||
           id_table_has(&attribution->users, message_id);
}

static bool is_created_after_compaction(const struct attribution *attribution, const cJSON *info)
{
    double created;

    return attribution->compacted && creation_time(info, &created) &&
           created > (double)attribution->started_wall_ms;
}

enum attribution_verdict attribution_judge(struct attribution *attribution, const cJSON *info)
{
    const char *id = field_id(info, "id");
    const char *parent = field_id(info, "parentID");
    bool is_summary = cJSON_IsTrue(json_get(info, "summary"));
    bool is_ours = parent && attribution_is_user(attribution, parent);

    if (!id)
        return ATTRIBUTION_REJECT;
    if (is_summary && is_ours) {
        id_table_add(&attribution->summaries, id);
        return ATTRIBUTION_ERROR_ONLY;
    }
    if (id_table_has(&attribution->summaries, id))
        return ATTRIBUTION_ERROR_ONLY;
    if (is_summary)
        return ATTRIBUTION_REJECT;
    if (!is_ours && !attribution_is_allowed(attribution, id) &&
        !is_created_after_compaction(attribution, info))
        return ATTRIBUTION_REJECT;
    attribution_allow(attribution, id);
    return ATTRIBUTION_OUTPUT;
}

void attribution_allow(struct attribution *attribution, const char *message_id)
{
    id_table_add(&attribution->allowed, message_id);
}

bool attribution_is_allowed(const struct attribution *attribution, const char *message_id)
{
    return id_table_has(&attribution->allowed, message_id);
}

void attribution_set_compacted(struct attribution *attribution)
{
    attribution->compacted = true;
}
