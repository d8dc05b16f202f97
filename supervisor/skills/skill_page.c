#include "supervisor/skills/skill_page.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "net/digest.h"
#include "supervisor/skills/skill_rules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MAX 262144
#define SKILL_BYTES_MAX 1048576
#define ALL_BYTES_MAX 5242880
#define FILES_MAX 100

static const char *const fault_names[] = {
    [SKILL_FAULT_NONE] = "none",
    [SKILL_FAULT_FETCH] = "fetch_failed",
    [SKILL_FAULT_TOO_LARGE] = "installation_too_large",
    [SKILL_FAULT_INVALID] = "installation_invalid",
    [SKILL_FAULT_PATH] = "path_invalid",
    [SKILL_FAULT_HASH] = "hash_mismatch",
    [SKILL_FAULT_INSTALL] = "install_failed",
};
_Static_assert(ARRAY_LENGTH(fault_names) == SKILL_FAULT_COUNT, "every fault has a name");

const char *skill_fault_name(enum skill_fault fault)
{
    return fault_names[fault];
}

static enum skill_fault invalid(struct err *err, const char *what)
{
    err_set(err, ERR_PROTOCOL, "%s", what);
    return SKILL_FAULT_INVALID;
}

static bool is_sha256(const char *text)
{
    return text && strlen(text) == SKILL_SHA256_HEX &&
           strspn(text, "0123456789abcdef") == SKILL_SHA256_HEX;
}

void skill_sha256_hex(const void *data, size_t len, char *hex)
{
    unsigned char digest[DIGEST_SHA256_BYTES];

    digest_sha256(data, len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

int skill_content_bytes(const char *content, struct buf *out)
{
    for (; *content; content++) {
        unsigned char byte = (unsigned char)*content, next = (unsigned char)content[1];

        if (byte == 0xed && next >= 0xa0)
            return -1; /* half a character */
        if (byte == 0xc0 && next == 0x80) {
            buf_putc(out, '\0');
            content++;
        } else {
            buf_putc(out, *content);
        }
    }
    return buf_failed(out) ? -1 : 0;
}

/* No path twice, and none the directory of another. */
static bool paths_collide(const char *one, const char *other)
{
    size_t len = strlen(one), other_len = strlen(other);
    size_t common = len < other_len ? len : other_len;

    return memcmp(one, other, common) == 0 &&
           (len == other_len || (len < other_len ? other[len] : one[other_len]) == '/');
}

static enum skill_fault check_path(const cJSON *files, const cJSON *file, struct err *err)
{
    const char *path = json_get_string(file, "path");
    const cJSON *other;

    if (!path)
        return invalid(err, "a file has no path");
    if (!skill_path_is_valid(path)) {
        err_set(err, ERR_PROTOCOL, "the path \"%.240s\" is not allowed", path);
        return SKILL_FAULT_PATH;
    }
    cJSON_ArrayForEach(other, files) {
        const char *earlier = json_get_string(other, "path");

        if (other == file)
            return SKILL_FAULT_NONE;
        if (paths_collide(path, earlier)) {
            err_set(err, ERR_PROTOCOL, "the paths \"%s\" and \"%s\" exclude each other", path,
                    earlier);
            return SKILL_FAULT_PATH;
        }
    }
    return SKILL_FAULT_NONE;
}

static enum skill_fault check_content(const cJSON *file, const struct buf *content, struct err *err)
{
    const char *path = json_get_string(file, "path");
    const char *wanted = json_get_string(file, "sha256");
    char sha256[SKILL_SHA256_HEX + 1];
    double size = -1;

    if (!json_get_number(file, "sizeBytes", &size) || size < 0 || size != floor(size) ||
        !is_sha256(wanted) || !cJSON_IsBool(json_get(file, "executable")))
        return invalid(err, "a file lacks sha256, sizeBytes or executable");
    if (json_get_bool(file, "executable", false) && !skill_path_may_be_executable(path)) {
        err_set(err, ERR_PROTOCOL, "%s may not be executable: it is not below scripts/", path);
        return SKILL_FAULT_PATH;
    }
    skill_sha256_hex(content->len ? content->data : "", content->len, sha256);
    if (size == (double)content->len && strcmp(sha256, wanted) == 0)
        return SKILL_FAULT_NONE;
    err_set(err, ERR_PROTOCOL, "%s has not the size or SHA-256 that is said", path);
    return SKILL_FAULT_HASH;
}

static enum skill_fault check_file(const cJSON *files, const cJSON *file, const char *skill,
                                   size_t *bytes, struct err *err)
{
    AUTO_BUF struct buf content = BUF_INIT(FILE_BYTES_MAX);
    const char *text = json_get_string(file, "content");
    enum skill_fault fault = check_path(files, file, err);
    char name[SKILL_NAME_MAX + 1];

    if (fault != SKILL_FAULT_NONE)
        return fault;
    if (!text)
        return invalid(err, "a file has no content");
    if (skill_content_bytes(text, &content) != 0) {
        if (!buf_failed(&content))
            return invalid(err, "a file's content is no valid text");
        err_set(err, ERR_LIMIT, "%s is larger than %d bytes", json_get_string(file, "path"),
                FILE_BYTES_MAX);
        return SKILL_FAULT_TOO_LARGE;
    }
    *bytes += content.len;
    fault = check_content(file, &content, err);
    if (fault == SKILL_FAULT_NONE && strcmp(json_get_string(file, "path"), "SKILL.md") == 0 &&
        (!skill_front_matter_name(buf_text(&content), content.len, name) ||
         strcmp(name, skill) != 0))
        return invalid(err, "SKILL.md's front matter does not say the skill's name");
    return fault;
}

static bool has_skill_file(const cJSON *files)
{
    const cJSON *file;

    cJSON_ArrayForEach(file, files) {
        const char *path = json_get_string(file, "path");

        if (path && strcmp(path, "SKILL.md") == 0)
            return true;
    }
    return false;
}

static enum skill_fault check_skill(const cJSON *skill, struct skill_pages *pages, struct err *err)
{
    const char *name = json_get_string(skill, "name");
    const cJSON *files = json_get_array(skill, "files");
    enum skill_fault fault = SKILL_FAULT_NONE;
    size_t bytes = 0;
    const cJSON *file;

    if (!name || !skill_name_is_valid(name))
        return invalid(err, "a skill's name is missing or not allowed");
    if (!files || !files->child || cJSON_GetArraySize(files) > FILES_MAX || !has_skill_file(files))
        fault = invalid(err, "it must have a SKILL.md and at most 100 files");
    cJSON_ArrayForEach(file, files) {
        if (fault == SKILL_FAULT_NONE)
            fault = check_file(files, file, name, &bytes, err);
    }
    pages->bytes += bytes;
    pages->skills++;
    if (fault == SKILL_FAULT_NONE && (bytes > SKILL_BYTES_MAX || pages->bytes > ALL_BYTES_MAX)) {
        err_set(err, ERR_LIMIT, "larger than %d bytes, or than %d with those before it",
                SKILL_BYTES_MAX, ALL_BYTES_MAX);
        fault = SKILL_FAULT_TOO_LARGE;
    }
    if (fault != SKILL_FAULT_NONE)
        err_add_context(err, "the skill %s", name);
    return fault;
}

enum skill_fault skill_page_check(const cJSON *page, struct skill_pages *pages, const char **cursor,
                                  struct err *err)
{
    const cJSON *version = json_get(page, "schemaVersion");
    const cJSON *next = json_get(page, "nextCursor");
    const char *sha256 = json_get_string(page, "manifestSha256");
    const cJSON *skills = json_get_array(page, "skills");
    const cJSON *skill;

    *cursor = json_get_nonempty(page, "nextCursor");
    if (!cJSON_IsNumber(version) || version->valuedouble != 1)
        return invalid(err, "schemaVersion is not 1");
    if (!is_sha256(sha256) || !skills || (next && !cJSON_IsNull(next) && !*cursor))
        return invalid(err, "manifestSha256, skills or nextCursor is missing or bad");
    if (*cursor && !skills->child)
        return invalid(err, "a page before the last has no skills");
    if (!pages->manifest_sha256[0])
        memcpy(pages->manifest_sha256, sha256, SKILL_SHA256_HEX);
    else if (strcmp(pages->manifest_sha256, sha256) != 0)
        return invalid(err, "the skills changed while they were fetched");
    cJSON_ArrayForEach(skill, skills) {
        enum skill_fault fault = check_skill(skill, pages, err);

        if (fault != SKILL_FAULT_NONE)
            return fault;
    }
    return SKILL_FAULT_NONE;
}
