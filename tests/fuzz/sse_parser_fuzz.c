/*
 * Fuzzer of net/sse_parser: the payloads must not depend on where the stream is cut, and none may
 * pass the limit.
 */
#include "net/sse_parser.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MAX_BYTES 64

struct digest {
    uint64_t hash;
    uint64_t frames;
};

static void on_data(void *user, char *data, size_t len)
{
    struct digest *digest = user;

    if (len == 0 || len > FUZZ_MAX_BYTES || data[len] != '\0')
        abort();
    digest->frames++;
    for (size_t i = 0; i <= len; i++)
        digest->hash = (digest->hash ^ (uint8_t)data[i]) * 1099511628211u;
}

static struct digest parse(const uint8_t *bytes, size_t size, size_t chunk)
{
    struct digest digest = {0};
    struct sse_parser parser;

    sse_parser_init(&parser, FUZZ_MAX_BYTES, on_data, &digest);
    for (size_t at = 0; at < size; at += chunk)
        sse_parser_feed(&parser, (const char *)bytes + at, size - at < chunk ? size - at : chunk);
    digest.frames += parser.dropped_frames << 32;
    sse_parser_free(&parser);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest whole = parse(data, size, size ? size : 1);
    struct digest bytewise = parse(data, size, 1);
    struct digest mixed = parse(data, size, 7);

    if (memcmp(&whole, &bytewise, sizeof(whole)) || memcmp(&whole, &mixed, sizeof(whole)))
        abort();
    return 0;
}
