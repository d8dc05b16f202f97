#include "git/diff_similarity.h"

#include <stdlib.h>
#include <string.h>

/* These four are git's: with others, borderline pairs would come out differently. */
#define PIECE_MAX_BYTES 64
#define HASH_VALUES 107927u
#define HASH_ROTATION 7
#define HASH_HIGH_FACTOR 0x61u

#define FIRST_PIECES 64

struct piece_list {
    struct similarity_piece *items;
    size_t count, cap;
};

static int add_piece(struct piece_list *list, uint32_t hash, uint32_t bytes)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : FIRST_PIECES;
        void *grown = realloc(list->items, cap * sizeof *list->items);

        if (!grown)
            return -1;
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = (struct similarity_piece){hash, bytes};
    return 0;
}

/* One byte into the running hash: the low half takes it without carrying into the high one. */
static uint64_t hash_step(uint64_t hash, unsigned char byte)
{
    hash = hash << HASH_ROTATION | hash >> (64 - HASH_ROTATION);
    return (hash & ~(uint64_t)UINT32_MAX) | (uint32_t)((uint32_t)hash + byte);
}

static uint32_t hash_value(uint64_t hash)
{
    return ((uint32_t)hash + (uint32_t)(hash >> 32) * HASH_HIGH_FACTOR) % HASH_VALUES;
}

static int cut_into_pieces(const char *data, size_t len, bool is_text, struct piece_list *list)
{
    uint64_t hash = 0;
    uint32_t bytes = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)data[i];

        if (is_text && byte == '\r' && i + 1 < len && data[i + 1] == '\n')
            continue;
        hash = hash_step(hash, byte);
        bytes++;
        if (bytes < PIECE_MAX_BYTES && byte != '\n')
            continue;
        if (add_piece(list, hash_value(hash), bytes) != 0)
            return -1;
        hash = 0;
        bytes = 0;
    }
    return bytes ? add_piece(list, hash_value(hash), bytes) : 0;
}

static int compare_pieces(const void *left, const void *right)
{
    const struct similarity_piece *a = left, *b = right;

    return (a->hash > b->hash) - (a->hash < b->hash);
}

/* Adds up what has the same hash; the list is sorted. */
static size_t merge_pieces(struct similarity_piece *pieces, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && pieces[kept - 1].hash == pieces[i].hash)
            pieces[kept - 1].bytes += pieces[i].bytes;
        else
            pieces[kept++] = pieces[i];
    }
    return kept;
}

int similarity_measure(const char *data, size_t len, bool is_text, struct similarity *out)
{
    struct piece_list list = {0};
    void *fitted;

    *out = (struct similarity){.size = len};
    if (cut_into_pieces(data, len, is_text, &list) != 0) {
        free(list.items);
        return -1;
    }
    if (list.count == 0)
        return 0;
    qsort(list.items, list.count, sizeof *list.items, compare_pieces);
    out->count = merge_pieces(list.items, list.count);
    fitted = realloc(list.items, out->count * sizeof *list.items);
    out->pieces = fitted ? fitted : list.items;
    return 0;
}

void similarity_clear(struct similarity *signature)
{
    free(signature->pieces);
    *signature = (struct similarity){0};
}

static uint64_t shared_bytes(const struct similarity *a, const struct similarity *b)
{
    uint64_t shared = 0;
    size_t i = 0, j = 0;

    while (i < a->count && j < b->count) {
        uint32_t left = a->pieces[i].hash, right = b->pieces[j].hash;

        if (left == right) {
            uint32_t x = a->pieces[i].bytes, y = b->pieces[j].bytes;

            shared += x < y ? x : y;
        }
        i += left <= right;
        j += right <= left;
    }
    return shared;
}

unsigned similarity_score(const struct similarity *source, const struct similarity *target,
                          unsigned least)
{
    uint64_t larger = source->size > target->size ? source->size : target->size;
    uint64_t smaller = source->size > target->size ? target->size : source->size;

    /* Their sizes alone may rule it out. */
    if (larger == 0 || larger * (SIMILARITY_MAX - least) < (larger - smaller) * SIMILARITY_MAX)
        return 0;
    return (unsigned)(shared_bytes(source, target) * SIMILARITY_MAX / larger);
}
