/*
 * One page of managed skills as the control plane sends it (S-393..S-404), checked as a whole before
 * anything of it is written. Pure. Strings of the page belong to its JSON tree.
 */
#ifndef SUPERVISOR_SKILLS_SKILL_PAGE_H
#define SUPERVISOR_SKILLS_SKILL_PAGE_H

#include "common/buf.h"
#include "common/err.h"

#include <cJSON.h>

#define SKILL_SHA256_HEX 64

/* S-405 */
enum skill_fault {
    SKILL_FAULT_NONE,
    SKILL_FAULT_FETCH,
    SKILL_FAULT_TOO_LARGE,
    SKILL_FAULT_INVALID,
    SKILL_FAULT_PATH,
    SKILL_FAULT_HASH,
    SKILL_FAULT_INSTALL,
    SKILL_FAULT_COUNT
};

/* "fetch_failed", ... */
const char *skill_fault_name(enum skill_fault fault);

/* What all pages share; zero before the first. */
struct skill_pages {
    char manifest_sha256[SKILL_SHA256_HEX + 1];
    size_t bytes; /* of all contents so far */
    size_t skills;
};

/* Checks `page` and counts it. `*cursor`: of the next page, NULL after the last. */
enum skill_fault skill_page_check(const cJSON *page, struct skill_pages *pages, const char **cursor,
                                  struct err *err);

/* Appends the bytes of a file's `content`. -1 when it is no text that UTF-8 can hold. */
int skill_content_bytes(const char *content, struct buf *out);

/* `hex`: SKILL_SHA256_HEX + 1 bytes. */
void skill_sha256_hex(const void *data, size_t len, char *hex);

#endif
