/*
 * How much of one file is in another, measured as git measures it, for the number decides what is a
 * rename and stands in the patch ("similarity index 87%"). A file is taken as a bag of lines, cut
 * after 64 bytes; each counts its bytes under a hash with few values, and two files share what both
 * have of a hash. Pure. A signature owns its memory.
 */
#ifndef GIT_DIFF_SIMILARITY_H
#define GIT_DIFF_SIMILARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scale of scores. 50 % is the least that git takes for a rename by default. */
#define SIMILARITY_MAX 60000
#define SIMILARITY_RENAME (SIMILARITY_MAX / 2)

struct similarity_piece {
    uint32_t hash;
    uint32_t bytes;
};

struct similarity {
    struct similarity_piece *pieces; /* by hash, ascending */
    size_t count;
    size_t size; /* of the file, bytes */
};

/* `is_text`: a CR before a LF does not count. Returns -1 when out of memory. */
int similarity_measure(const char *data, size_t len, bool is_text, struct similarity *out);
void similarity_clear(struct similarity *signature);

/* 0..SIMILARITY_MAX; 0 for everything that cannot reach `least`. */
unsigned similarity_score(const struct similarity *source, const struct similarity *target,
                          unsigned least);

#endif
