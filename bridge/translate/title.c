/*
 * Session titles (B-580).
 */
#include "bridge/translate/fields.h"
#include "bridge/translate/state.h"
#include "common/json.h"
#include "common/trim.h"
#include "common/wtf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The control plane ignores a longer one (control-plane.md 3.1). Its characters are UTF-16 units. */
#define TITLE_MAX_UNITS 200

/* "d" stands for a digit, the rest for itself in any case. */
static bool is_creation_time(const char *text)
{
    static const char form[] = "dddd-dd-ddtdd:dd:dd.dddz";

    if (strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; form[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];

        if (form[i] == 'd' ? !isdigit(c) : tolower(c) != form[i])
            return false;
    }
    return true;
}

/* What OpenCode calls a session before it knows better. */
static bool is_placeholder(const char *title)
{
    static const char *const starts[] = {"new session - ", "child session - "};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t len = strlen(starts[i]);

        if (strncasecmp(title, starts[i], len) == 0 && is_creation_time(title + len))
            return true;
    }
    return false;
}

static size_t cut(const char *title, size_t len)
{
    size_t at = 0, units = 0, bytes;
    uint32_t code;

    while (at < len && (bytes = wtf8_decode(title + at, len - at, &code)) > 0) {
        units += code > 0xffff ? 2 : 1;
        if (units > TITLE_MAX_UNITS)
            break;
        at += bytes;
    }
    return at;
}

static char *trimmed(const char *title)
{
    size_t len;
    const char *text = trim_both(title, &len);

    return strndup(text, cut(text, len));
}

static bool is_about_parent(const struct translator *t, const cJSON *properties, const cJSON *info)
{
    const char *session = field_id(properties, "sessionID");

    if (!session && field_is_empty(json_get(properties, "sessionID")))
        session = field_id(info, "id");
    return session && t->session && strcmp(session, t->session) == 0;
}

void title_on_session_updated(struct translator *t, const cJSON *properties)
{
    const cJSON *info = json_get_object(properties, "info");
    const char *raw = json_get_string(info, "title");
    char *title = raw && is_about_parent(t, properties, info) ? trimmed(raw) : NULL;
    cJSON *event;

    if (!title || title[0] == '\0' || is_placeholder(title) ||
        (t->last_title && strcmp(t->last_title, title) == 0)) {
        free(title);
        return;
    }
    free(t->last_title);
    t->last_title = title;
    event = cJSON_CreateObject();
    json_add_string(event, "type", "session_title");
    json_add_string(event, "title", title);
    emit_event(t, event);
}
