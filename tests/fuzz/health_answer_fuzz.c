/*
 * Fuzzer of supervisor/opencode/health_answer, the only bytes from a socket that PID 1 reads: what
 * is healthy must be a 200 that says so, and a verdict on some bytes must hold for more of them.
 */
#include "supervisor/opencode/health_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of the exact size, so that a read past the end is seen. */
    char *bytes = malloc(size ? size : 1);
    enum health_answer before = HEALTH_ANSWER_INCOMPLETE;

    if (!bytes)
        return 0;
    memcpy(bytes, data, size);
    for (size_t len = 0; len <= size && before == HEALTH_ANSWER_INCOMPLETE; len++)
        before = health_answer_read(bytes, len, false);
    if (before == HEALTH_ANSWER_HEALTHY && memcmp(bytes + 8, " 200", 4) != 0)
        abort();
    if (health_answer_read(bytes, size, true) == HEALTH_ANSWER_INCOMPLETE)
        abort();
    free(bytes);
    return 0;
}
