/*
 * Runs a fuzz target without a fuzzer, so that `make check` needs no clang: every file of the named
 * folders as it is, and then changed in as many ways as asked for. The changes come from a fixed
 * seed and the file's name: a failure comes back with the same command.
 *     <name>_fuzz [--changes N] FOLDER...
 * Prints "N passed, 0 failed" at the end; a target fails by crashing, and the input that was on
 * is in the file named by the line "last input".
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX ((size_t)1 << 20)
#define PATH_LENGTH_MAX 4096
#define SEED UINT64_C(0x9e3779b97f4a7c15)

/* The target: libFuzzer's interface. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct replay {
    uint64_t state;
    long changes;
    int passed;
};

static uint64_t next_random(struct replay *replay)
{
    replay->state ^= replay->state << 13;
    replay->state ^= replay->state >> 7;
    replay->state ^= replay->state << 17;
    return replay->state;
}

/* Flips, inserts, removes, doubles or cuts; in place, `data` has room for INPUT_MAX. */
static size_t change(struct replay *replay, uint8_t *data, size_t size)
{
    static const char telling[] = "\"{}[]:,\\\r\n\0\xff\xd8u0129-.e";
    size_t at = size ? next_random(replay) % size : 0;
    size_t run = size - at ? next_random(replay) % (size - at) % 64 : 0;
    uint8_t byte =
        (uint8_t)(next_random(replay) & 1 ? telling[next_random(replay) % (sizeof(telling) - 1)]
                                          : (char)next_random(replay));

    switch (next_random(replay) % 5) {
    case 0:
        if (size)
            data[at] = byte;
        return size;
    case 1:
        if (size >= INPUT_MAX)
            return size;
        memmove(data + at + 1, data + at, size - at);
        data[at] = byte;
        return size + 1;
    case 2:
        memmove(data + at, data + at + run, size - at - run);
        return size - run;
    case 3:
        if (size + run > INPUT_MAX)
            return size;
        memmove(data + at + run, data + at, size - at);
        return size + run;
    default:
        return at;
    }
}

/* A copy of exactly `size` bytes, so that ASan sees a read behind the end. */
static int run_once(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        return -1;
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int run_file(struct replay *replay, const char *path)
{
    uint8_t *data = malloc(INPUT_MAX);
    uint8_t *changed = malloc(INPUT_MAX);
    FILE *file = fopen(path, "rb");
    size_t size;
    int result = -1;

    if (!data || !changed || !file) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        goto out;
    }
    printf("last input: %s\n", path);
    size = fread(data, 1, INPUT_MAX, file);
    replay->state = SEED;
    for (const char *c = path; *c; c++)
        replay->state = (replay->state ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    if (run_once(data, size) < 0)
        goto out;
    for (long i = 0; i < replay->changes; i++) {
        size_t len = size;

        memcpy(changed, data, size);
        for (uint64_t n = 1 + next_random(replay) % 8; n > 0; n--)
            len = change(replay, changed, len);
        if (run_once(changed, len) < 0)
            goto out;
    }
    replay->passed++;
    result = 0;
out:
    if (file)
        fclose(file);
    free(data);
    free(changed);
    return result;
}

static int run_folder(struct replay *replay, const char *folder)
{
    char path[PATH_LENGTH_MAX];
    DIR *dir = opendir(folder);
    int result = 0;

    if (!dir) {
        fprintf(stderr, "%s: %s\n", folder, strerror(errno));
        return -1;
    }
    for (struct dirent *entry = readdir(dir); entry && result == 0; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        result = run_file(replay, path);
    }
    closedir(dir);
    return result;
}

int main(int argc, char **argv)
{
    struct replay replay = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--changes") == 0 && i + 1 < argc)
            replay.changes = atol(argv[++i]);
        else if (run_folder(&replay, argv[i]) < 0)
            return 1;
    }
    printf("%d passed, 0 failed\n", replay.passed);
    return replay.passed ? 0 : 1;
}
