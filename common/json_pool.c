#include "common/json_pool.h"

#include <cJSON.h>
#include <stdint.h>
#include <stdlib.h>

#define STEP 16 /* bytes between two sizes, and the alignment */
#define SIZES 8 /* up to 128 bytes: a node of a tree has 64, keys and most texts are shorter */

/* In front of each block. */
union header {
    _Alignas(STEP) union header *next; /* while it is kept */
    size_t size; /* while it is in use: its number, or SIZES when it is not kept */
};

static struct {
    union header *kept[SIZES];
    size_t bytes;
} pool;

static void *allocate(size_t bytes)
{
    size_t size = bytes > 0 ? (bytes - 1) / STEP : 0;
    union header *block;

    if (size >= SIZES) {
        block = bytes <= SIZE_MAX - sizeof *block ? malloc(sizeof *block + bytes) : NULL;
        size = SIZES;
    } else if (pool.kept[size]) {
        block = pool.kept[size];
        pool.kept[size] = block->next;
        pool.bytes -= (size + 1) * STEP;
    } else {
        block = malloc(sizeof *block + (size + 1) * STEP);
    }
    if (!block)
        return NULL;
    block->size = size;
    return block + 1;
}

static void release(void *memory)
{
    union header *block = (union header *)memory - 1;
    size_t size;

    if (!memory)
        return;
    size = block->size;
    if (size >= SIZES || pool.bytes >= JSON_POOL_MAX_BYTES) {
        free(block);
        return;
    }
    block->next = pool.kept[size];
    pool.kept[size] = block;
    pool.bytes += (size + 1) * STEP;
}

void json_pool_install(void)
{
    cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = release};

    cJSON_InitHooks(&hooks);
}
