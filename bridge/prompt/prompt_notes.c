#include "bridge/prompt/prompt_notes.h"

#define FIELDS_MAX 12

void prompt_notes_log(struct log *log, enum log_level level, const char *name, const cJSON *fields)
{
    struct log_field line[FIELDS_MAX];
    size_t count = 0;
    const cJSON *field;

    cJSON_ArrayForEach(field, fields) {
        if (count == FIELDS_MAX)
            break;
        if (cJSON_IsString(field))
            line[count++] = LOG_STR(field->string, field->valuestring);
        else if (cJSON_IsNumber(field))
            line[count++] = LOG_NUM(field->string, field->valuedouble);
        else if (cJSON_IsBool(field))
            line[count++] = LOG_BOOL(field->string, cJSON_IsTrue(field));
    }
    log_write(log, level, name, line, count);
}
