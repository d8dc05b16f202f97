#include "bridge/control_plane/event_envelope.h"

#include "common/json.h"
#include "common/wtf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESTAMP_DECIMALS 3
#define TIMESTAMP_MAX 32
#define ACK_ID_EXTRA 32 /* a colon, sixteen digits and the end */

/* A text shorter than this is not cut: it would free less than the mark takes. */
#define CUT_LEAST_BYTES 256
/* Each round at least halves the longest text, so that a few per text are enough. */
#define CUT_ROUNDS_MAX 256

bool event_is_critical(const cJSON *event)
{
    static const char *const critical[] = {"execution_complete", "error", "push_complete",
                                           "push_error"};
    const char *type = json_get_string(event, "type");

    for (size_t i = 0; type && i < sizeof critical / sizeof critical[0]; i++) {
        if (strcmp(type, critical[i]) == 0)
            return true;
    }
    return false;
}

static void add_ack_id(cJSON *event, uint64_t random)
{
    const char *type = json_get_string(event, "type");
    const char *message_id = json_get_nonempty(event, "messageId");
    /* Never cut: by it the journal finds what the event answers. */
    AUTO_BUF struct buf ack_id =
        BUF_INIT(strlen(type) + (message_id ? strlen(message_id) : 0) + ACK_ID_EXTRA);

    if (message_id)
        buf_printf(&ack_id, "%s:%s", type, message_id);
    else
        buf_printf(&ack_id, "%s:%016" PRIx64, type, random);
    json_add_string(event, "ackId", buf_text(&ack_id));
}

/* Unix seconds with three decimals, as text: printing a double exactly costs as much as the rest. */
static cJSON *timestamp_of(uint64_t wall_ms)
{
    char text[TIMESTAMP_MAX], *at = text + sizeof text - 1;

    *at = '\0';
    for (int digit = 0; wall_ms > 0 || digit <= TIMESTAMP_DECIMALS; digit++) {
        if (digit == TIMESTAMP_DECIMALS)
            *--at = '.';
        *--at = (char)('0' + wall_ms % 10);
        wall_ms /= 10;
    }
    return cJSON_CreateRaw(at);
}

void event_stamp(cJSON *event, const char *sandbox_id, uint64_t wall_ms, uint64_t random)
{
    double timestamp;

    json_put(event, "sandboxId", cJSON_CreateString(sandbox_id));
    if (!json_get_number(event, "timestamp", &timestamp))
        json_put(event, "timestamp", timestamp_of(wall_ms));
    if (event_is_critical(event) && !json_get_nonempty(event, "ackId")) {
        cJSON_DeleteItemFromObjectCaseSensitive(event, "ackId");
        add_ack_id(event, random);
    }
}

/* The longest string value below `value`, NULL when there is none. */
static cJSON *longest_string(cJSON *value, size_t *longest)
{
    cJSON *found = NULL, *child;

    if (cJSON_IsString(value)) {
        size_t len = strlen(value->valuestring);

        if (len <= *longest)
            return NULL;
        *longest = len;
        return value;
    }
    cJSON_ArrayForEach(child, value) {
        cJSON *candidate = longest_string(child, longest);

        if (candidate)
            found = candidate;
    }
    return found;
}

/* Halves the longest text and marks it; false when none is worth it. */
static bool cut_longest(cJSON *event)
{
    size_t len = CUT_LEAST_BYTES, keep;
    cJSON *text = longest_string(event, &len);
    char *cut;

    if (!text)
        return false;
    keep = wtf8_cut(text->valuestring, len, len / 2);
    cut = malloc(keep + sizeof EVENT_CUT_MARK);
    if (!cut)
        return false;
    memcpy(cut, text->valuestring, keep);
    memcpy(cut + keep, EVENT_CUT_MARK, sizeof EVENT_CUT_MARK);
    cJSON_SetValuestring(text, cut);
    free(cut);
    return true;
}

/* What `args` hold besides long texts can be too much as well: thousands of small ones. */
static bool drop_args(cJSON *event)
{
    if (!cJSON_GetArraySize(json_get_object(event, "args")))
        return false;
    json_put(event, "args", cJSON_CreateObject());
    return true;
}

int event_print(cJSON *event, struct buf *out)
{
    for (int round = 0; round < CUT_ROUNDS_MAX; round++) {
        json_print(event, out);
        if (!buf_failed(out))
            return 0;
        if (!cut_longest(event) && !drop_args(event))
            return -1;
        buf_reset(out);
    }
    return -1;
}
