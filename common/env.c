#include "common/env.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBER_TEXT_MAX 64

const char *env_get(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

const char *env_get_or(const char *name, const char *otherwise)
{
    const char *value = env_get(name);

    return value ? value : otherwise;
}

/* Copies `text` without the blanks around it; false when nothing or too much is left. */
static bool trim(const char *text, char *out, size_t size)
{
    size_t len;

    while (isspace((unsigned char)*text))
        text++;
    len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len == 0 || len >= size)
        return false;
    memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

bool env_is_true(const char *name)
{
    char word[NUMBER_TEXT_MAX];
    const char *value = env_get(name);

    return value && trim(value, word, sizeof word) &&
           (strcasecmp(word, "true") == 0 || strcmp(word, "1") == 0);
}

/* Removes single "_" between digits, as Python's float() does; false for any other "_". */
static bool drop_underscores(char *text)
{
    char *out = text;

    for (char *in = text; *in; in++) {
        if (*in != '_') {
            *out++ = *in;
            continue;
        }
        if (in == text || !isdigit((unsigned char)in[-1]) || !isdigit((unsigned char)in[1]))
            return false;
    }
    *out = '\0';
    return true;
}

int env_parse_seconds(const char *text, double *seconds)
{
    char word[NUMBER_TEXT_MAX];
    char *end;

    if (!text || !trim(text, word, sizeof word) || strpbrk(word, "xX(") || !drop_underscores(word))
        return -1;
    *seconds = strtod(word, &end);
    return *end ? -1 : 0;
}

static bool is_writable_directory(const char *path)
{
    struct stat st;

    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode) && access(path, W_OK | X_OK) == 0;
}

const char *env_temp_dir(void)
{
    const char *const candidates[] = {env_get("TMPDIR"), env_get("TEMP"), env_get("TMP"), "/tmp",
                                      "/var/tmp",        "/usr/tmp"};

    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (is_writable_directory(candidates[i]))
            return candidates[i];
    }
    return ".";
}
