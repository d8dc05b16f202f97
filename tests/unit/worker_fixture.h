/*
 * Runs a worker's entry function in a child with pipes for stdin and stdout, as its parent does, and
 * hands back the lines. Include after git_fixture.h.
 */
#ifndef TESTS_UNIT_WORKER_FIXTURE_H
#define TESTS_UNIT_WORKER_FIXTURE_H

#include "common/buf.h"
#include "common/file.h"
#include "common/json.h"
#include "common/line_splitter.h"

#include <sys/wait.h>
#include <unistd.h>

#define WORKER_OUTPUT_MAX (1024 * 1024)

struct worker_run {
    int status;        /* of the child, as waitpid gives it */
    struct buf output; /* all of its stdout */
    cJSON *lines;      /* an array of what it wrote */
    cJSON *result;     /* the last line; belongs to `lines` */
};

static inline void worker_on_line(void *user, char *line, size_t len, size_t dropped)
{
    cJSON *value = dropped ? NULL : json_parse(line, len, NULL);

    cJSON_AddItemToArray(user, value ? value : cJSON_CreateString("not JSON"));
}

static inline void worker_run_text(int (*entry)(void), const char *input, struct worker_run *run)
{
    int to_child[2], from_child[2];
    struct line_splitter splitter;
    char chunk[4096];
    ssize_t got;
    pid_t child;

    *run = (struct worker_run){.output = BUF_INIT(WORKER_OUTPUT_MAX)};
    run->lines = cJSON_CreateArray();
    if (pipe(to_child) != 0 || pipe(from_child) != 0)
        abort();
    fflush(stdout);
    child = fork();
    if (child == 0) {
        dup2(to_child[0], 0);
        dup2(from_child[1], 1);
        close(to_child[0]);
        close(to_child[1]);
        close(from_child[0]);
        close(from_child[1]);
        exit(entry()); /* not _exit: leaks are looked for at exit */
    }
    close(to_child[0]);
    close(from_child[1]);
    file_write_all(to_child[1], input, strlen(input));
    close(to_child[1]);
    line_splitter_init(&splitter, WORKER_OUTPUT_MAX, worker_on_line, run->lines);
    while ((got = read(from_child[0], chunk, sizeof chunk)) > 0) {
        buf_append(&run->output, chunk, (size_t)got);
        line_splitter_feed(&splitter, chunk, (size_t)got);
    }
    line_splitter_end(&splitter);
    line_splitter_free(&splitter);
    close(from_child[0]);
    waitpid(child, &run->status, 0);
    run->result = cJSON_GetArrayItem(run->lines, cJSON_GetArraySize(run->lines) - 1);
}

/* Takes `input` over. */
static inline void worker_run_json(int (*entry)(void), cJSON *input, struct worker_run *run)
{
    char *text = json_to_string(input);

    cJSON_Delete(input);
    worker_run_text(entry, text, run);
    free(text);
}

static inline void worker_run_free(struct worker_run *run)
{
    buf_free(&run->output);
    cJSON_Delete(run->lines);
}

/* The names of all event lines, "a b c", in the order they came. */
static inline const char *worker_run_events(const struct worker_run *run)
{
    static char names[1024];
    const cJSON *line;

    names[0] = '\0';
    cJSON_ArrayForEach(line, run->lines) {
        const char *event = json_get_string(line, "event");

        if (event && strcmp(json_get_string(line, "type"), "event") == 0)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                     names[0] ? " " : "", event);
    }
    return names;
}

/* Runs the worker: "ok", or that field of its failure. Its output must not have the token. */
static inline const char *worker_run_outcome(int (*entry)(void), cJSON *input,
                                             struct worker_run *run, const char *field)
{
    worker_run_free(run);
    worker_run_json(entry, input, run);
    CHECK_STR(json_get_string(run->result, "type"), "result");
    CHECK(strstr(buf_text(&run->output), TEST_TOKEN) == NULL);
    if (json_get_bool(run->result, "ok", false)) {
        CHECK_INT(run->status, 0);
        return "ok";
    }
    CHECK_INT(WEXITSTATUS(run->status), 1);
    return json_get_string(run->result, field);
}

#endif
