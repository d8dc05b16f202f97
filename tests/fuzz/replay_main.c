/*
 * Runs a fuzz target over files and folders of inputs without a fuzzer, for `make check`: every
 * corpus entry and every input that once broke something. Usage: NAME_fuzz PATH...
 */
#include "common/buf.h"
#include "common/err.h"
#include "common/file.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define INPUT_MAX ((size_t)16 * 1024 * 1024)
#define PATH_LENGTH_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    AUTO_BUF struct buf input = BUF_INIT(INPUT_MAX);
    struct err err = {0};

    if (file_read(path, &input, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 0;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&input), input.len);
    return 1;
}

static int run_path(const char *path)
{
    struct dirent **names;
    struct stat status;
    int runs = 0;
    int count;

    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return run_file(path);
    count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char child[PATH_LENGTH_MAX];

        if (names[i]->d_name[0] != '.') {
            snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
            runs += run_path(child);
        }
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return runs;
}

int main(int argc, char **argv)
{
    int runs = 0;

    for (int i = 1; i < argc; i++)
        runs += run_path(argv[i]);
    printf("%d inputs run\n", runs);
    return runs > 0 ? 0 : 1;
}
