#include "supervisor/skills/skill_rules.h"

#include "common/ascii.h"

#include <stdio.h>
#include <string.h>

#define PATH_BYTES_MAX 240
#define PATH_PARTS_MAX 10
#define EXECUTABLE_BELOW "scripts/"

static const char blanks[] = " \t";

bool skill_name_is_valid(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t len = strlen(name);

    if (len == 0 || len > SKILL_NAME_MAX)
        return false;
    for (;;) {
        size_t group = strspn(name, letters);

        if (group == 0)
            return false;
        name += group;
        if (!*name)
            return true;
        if (*name++ != '-')
            return false;
    }
}

static bool part_is_valid(const char *part, size_t len)
{
    if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)part[i];

        /* C0 80 is our way to write U+0000, ED A0 and above half a character. */
        if (ascii_is_control(byte) || byte == '\\' || byte == 0xc0 ||
            (byte == 0xed && (unsigned char)part[i + 1] >= 0xa0))
            return false;
    }
    return true;
}

bool skill_path_is_valid(const char *path)
{
    size_t parts = 0;

    if (strlen(path) > PATH_BYTES_MAX)
        return false;
    for (;; path++) {
        size_t len = strcspn(path, "/");

        if (!part_is_valid(path, len) || ++parts > PATH_PARTS_MAX)
            return false;
        path += len;
        if (!*path)
            return true;
    }
}

bool skill_path_may_be_executable(const char *path)
{
    return strncmp(path, EXECUTABLE_BELOW, sizeof EXECUTABLE_BELOW - 1) == 0;
}

/* The line from `*at`, without its end; moves `*at` behind it. */
static bool take_line(const char **at, const char *end, const char **line, size_t *len)
{
    const char *newline;

    if (*at >= end)
        return false;
    newline = memchr(*at, '\n', (size_t)(end - *at));
    *line = *at;
    *at = newline ? newline + 1 : end;
    *len = (size_t)((newline ? newline : end) - *line);
    if (*len > 0 && (*line)[*len - 1] == '\r')
        (*len)--;
    return true;
}

static bool is_fence(const char *line, size_t len)
{
    return len == 3 && memcmp(line, "---", 3) == 0;
}

/* Skips a word that may stand in quotes; NULL when a quote is not closed. */
static const char *take_word(const char *at, const char *end, const char *stop, const char **word,
                             size_t *len)
{
    char quote = at < end && (*at == '"' || *at == '\'') ? *at : '\0';
    const char *from = quote ? at + 1 : at;

    at = from;
    while (at < end && (quote ? *at != quote : !strchr(stop, *at)))
        at++;
    if (quote && at == end)
        return NULL;
    *word = from;
    *len = (size_t)(at - from);
    return quote ? at + 1 : at;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && strchr(blanks, *at) && *at)
        at++;
    return at;
}

/* `name: value`, each bare or quoted, and nothing behind. */
static bool read_name(const char *line, size_t len, char name[SKILL_NAME_MAX + 1])
{
    const char *end = line + len, *word = NULL;
    size_t word_len = 0;
    const char *at = take_word(skip_blanks(line, end), end, ": \t", &word, &word_len);

    if (!at || word_len != 4 || memcmp(word, "name", 4) != 0)
        return false;
    at = skip_blanks(at, end);
    if (at == end || *at != ':')
        return false;
    at = take_word(skip_blanks(at + 1, end), end, blanks, &word, &word_len);
    if (!at || skip_blanks(at, end) != end || word_len > SKILL_NAME_MAX ||
        memchr(word, '\0', word_len))
        return false;
    snprintf(name, SKILL_NAME_MAX + 1, "%.*s", (int)word_len, word);
    return skill_name_is_valid(name);
}

bool skill_front_matter_name(const char *text, size_t len, char name[SKILL_NAME_MAX + 1])
{
    const char *at = text, *end = text + len, *line;
    bool found = false;
    size_t line_len;

    if (!take_line(&at, end, &line, &line_len) || !is_fence(line, line_len))
        return false;
    while (take_line(&at, end, &line, &line_len)) {
        if (is_fence(line, line_len))
            return found;
        found = found || read_name(line, line_len, name);
    }
    return false; /* the front matter never ends */
}
