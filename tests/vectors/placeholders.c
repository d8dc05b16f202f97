/*
 * What stands for something else in a vector: "$USER_MSG", "$T+n", "$I" and base64.
 */
#include "common/cleanup.h"
#include "common/json.h"
#include "tests/vectors/replay.h"

#include <stdlib.h>
#include <string.h>

#define FILLED_STRING_MAX ((size_t)64 * 1024)

static void substitute_string(const struct sim *sim, cJSON *item)
{
    const char *text = item->valuestring;

    if (strcmp(text, "$USER_MSG") == 0) {
        cJSON_SetValuestring(item, sim->user_id);
    } else if (strncmp(text, "$T", 2) == 0 && (text[2] == '+' || text[2] == '-')) {
        double value = (double)sim->wall_ms + strtod(text + 2, NULL);

        free(item->valuestring);
        item->valuestring = NULL;
        item->type = cJSON_Number;
        cJSON_SetNumberHelper(item, value);
    }
}

static void substitute(const struct sim *sim, cJSON *value)
{
    if (cJSON_IsString(value))
        substitute_string(sim, value);
    for (cJSON *item = value ? value->child : NULL; item; item = item->next)
        substitute(sim, item);
}

cJSON *vector_fill(const struct sim *sim, const cJSON *value)
{
    cJSON *copy = cJSON_Duplicate(value, true);

    substitute(sim, copy);
    return copy;
}

void vector_fill_index(cJSON *value, const char *index)
{
    for (cJSON *item = value->child; item; item = item->next)
        vector_fill_index(item, index);
    if (cJSON_IsString(value)) {
        const char *at = strstr(value->valuestring, "$I");

        if (at) {
            AUTO_BUF struct buf text = BUF_INIT(FILLED_STRING_MAX);

            buf_append(&text, value->valuestring, (size_t)(at - value->valuestring));
            buf_puts(&text, index);
            buf_puts(&text, at + 2);
            cJSON_SetValuestring(value, buf_text(&text));
        }
    }
}

size_t vector_decode_base64(const char *text, char *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned value = 0;
    int bits = 0;
    size_t len = 0;

    for (; *text && *text != '='; text++) {
        value = (value << 6) | (unsigned)(strchr(letters, *text) - letters);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[len++] = (char)(value >> bits);
        }
    }
    return len;
}
