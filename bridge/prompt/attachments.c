#include "bridge/prompt/attachments.h"

#include "common/buf.h"
#include "common/json.h"

#define TEXT_MAX_BYTES ((size_t)2 * 1024)

static cJSON *warning(const char *name)
{
    AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    cJSON *event = cJSON_CreateObject();

    buf_printf(&text, "Attachment %s could not be fetched and was skipped.", name);
    json_add_string(event, "type", "warning");
    json_add_string(event, "scope", "media");
    json_add_string(event, "message",
                    buf_failed(&text) ? "An attachment was skipped." : buf_text(&text));
    return event;
}

void attachments_leave_out(const cJSON *attachments, attachments_warning_fn *on_warning, void *user)
{
    const cJSON *attachment;
    int count = 0;

    cJSON_ArrayForEach(attachment, attachments) {
        const char *name = json_get_nonempty(attachment, "name");

        if (count++ == ATTACHMENTS_MAX)
            return;
        on_warning(user, warning(name ? name : "without a name"));
    }
}
