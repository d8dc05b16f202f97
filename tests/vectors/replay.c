/*
 * replay [--repaired FILE] [--print] PATH...
 *
 * PATH is a vector (.json), a trace (.jsonl, with NAME.case.json beside it), or a folder of them.
 * Prints "ok" or "not ok" and the first difference per file, then "N passed, N failed"; exit 1 when
 * one failed. FILE (repaired.json) holds, by vector name, the expectations that our repairs of the
 * earlier implementation's defects change, each with its reason; such files say "ok" with it.
 * --print writes what came out, in the form that FILE and .case.json use.
 */
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/json.h"
#include "tests/vectors/replay.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define PATH_LENGTH_MAX 4096

struct replay {
    cJSON *repaired;
    const char *repaired_path;
    bool print;
    int passed;
    int failed;
};

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static cJSON *read_json(const char *path, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    cJSON *value;

    if (file_read(path, &text, err) != 0)
        return NULL;
    value = json_parse(buf_text(&text), text.len, err);
    if (!value)
        err_add_context(err, "%s", path);
    return value;
}

static void report(struct replay *replay, const char *path, const char *reason, const char *text)
{
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    bool good = text && text[0] == '\0';

    if (good)
        replay->passed++;
    else
        replay->failed++;
    printf("%s - %s%s%s\n%s", good ? "ok" : "not ok", name, reason ? "  # " : "",
           reason ? reason : "", text ? text : "  out of memory\n");
    if (text && !good && text[strlen(text) - 1] != '\n')
        putchar('\n');
}

static void replay_vector(struct replay *replay, const char *path)
{
    struct err err = {0};
    AUTO_JSON cJSON *vector = read_json(path, &err);
    const char *name = json_get_string(vector, "name");
    const cJSON *repaired = name ? json_get(replay->repaired, name) : NULL;
    AUTO_BUF struct buf printed = BUF_INIT(FILE_MAX);
    AUTO_FREE char *text = NULL;

    if (!vector || !json_get(vector, "command"))
        return report(replay, path, NULL, vector ? "  not a vector\n" : err.text);
    text = vector_run(vector, repaired, replay->print ? &printed : NULL);
    report(replay, path, json_get_string(repaired, "reason"), text);
    fputs(buf_text(&printed), stdout);
}

/* The case stands beside the trace, or in our own traces/ when the trace is a copy elsewhere. */
static cJSON *read_case(const struct replay *replay, const char *trace_path, struct err *err)
{
    size_t stem = strlen(trace_path) - strlen(".jsonl");
    const char *slash = strrchr(trace_path, '/');
    const char *ours = replay->repaired_path ? strrchr(replay->repaired_path, '/') : NULL;
    char path[PATH_LENGTH_MAX];

    snprintf(path, sizeof(path), "%.*s.case.json", (int)stem, trace_path);
    if (!file_exists(path) && slash && ours)
        snprintf(path, sizeof(path), "%.*s/traces/%.*s.case.json",
                 (int)(ours - replay->repaired_path), replay->repaired_path,
                 (int)(stem - (size_t)(slash + 1 - trace_path)), slash + 1);
    return read_json(path, err);
}

static void replay_trace(struct replay *replay, const char *path)
{
    struct err err = {0};
    AUTO_BUF struct buf lines = BUF_INIT(FILE_MAX);
    AUTO_BUF struct buf printed = BUF_INIT(FILE_MAX);
    AUTO_JSON cJSON *test_case = read_case(replay, path, &err);
    AUTO_FREE char *text = NULL;

    if (!test_case && err.class == ERR_NOT_FOUND) {
        printf("skip - %s  # no .case.json says what to expect\n", path);
        return;
    }
    if (!test_case || file_read(path, &lines, &err) != 0)
        return report(replay, path, NULL, err.text);
    text = trace_run(buf_text(&lines), test_case, replay->print ? &printed : NULL);
    report(replay, path, NULL, text);
    fputs(buf_text(&printed), stdout);
}

static void replay_path(struct replay *replay, const char *path);

static void replay_folder(struct replay *replay, const char *path)
{
    struct dirent **names;
    int count = scandir(path, &names, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        char child[PATH_LENGTH_MAX];

        snprintf(child, sizeof(child), "%s/%s", path, names[i]->d_name);
        if (ends_with(child, ".jsonl") ||
            (ends_with(child, ".json") && !ends_with(child, ".case.json")))
            replay_path(replay, child);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
}

static void replay_path(struct replay *replay, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        report(replay, path, NULL, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        replay_folder(replay, path);
    else if (ends_with(path, ".jsonl"))
        replay_trace(replay, path);
    else
        replay_vector(replay, path);
}

int main(int argc, char **argv)
{
    struct replay replay = {0};
    struct err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--repaired") == 0 && i + 1 < argc) {
            cJSON_Delete(replay.repaired);
            replay.repaired_path = argv[++i];
            replay.repaired = read_json(replay.repaired_path, &err);
            if (!replay.repaired) {
                fprintf(stderr, "replay: %s\n", err.text);
                return 2;
            }
        } else if (strcmp(argv[i], "--print") == 0) {
            replay.print = true;
        } else {
            replay_path(&replay, argv[i]);
        }
    }
    cJSON_Delete(replay.repaired);
    printf("%d passed, %d failed\n", replay.passed, replay.failed);
    return replay.failed || replay.passed == 0 ? 1 : 0;
}
