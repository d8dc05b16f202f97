/*
 * Memory for JSON trees that comes and goes by the hundred with each event: small blocks are kept for
 * the next tree instead of being given back. With musl's malloc that is a third of the work for an
 * event. At most JSON_POOL_MAX_BYTES are kept; nothing of a tree's use changes.
 *
 * cJSON's hooks know no owner, so there is one pool in a process, and after json_pool_install() only
 * one thread may use cJSON. For main() alone; tests leave it out, so that a sanitizer sees every block.
 */
#ifndef COMMON_JSON_POOL_H
#define COMMON_JSON_POOL_H

#include <stddef.h>

#define JSON_POOL_MAX_BYTES ((size_t)256 * 1024)

/* Before the first use of cJSON: what was allocated without the pool may not be freed with it. */
void json_pool_install(void);

#endif
