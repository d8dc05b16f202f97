#include "bridge/git_config_worker.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "common/worker.h"
#include "git/library.h"
#include "git/local_config.h"

#include <stdbool.h>

#define CHANGES_MAX 32

/* The pairs of the input; -1 for more than there can be, or what are no pairs. */
static int read_changes(const cJSON *list, struct local_config_change *changes)
{
    const cJSON *pair;
    int count = 0;

    cJSON_ArrayForEach(pair, list) {
        const char *key = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 0));

        if (count == CHANGES_MAX || !key)
            return -1;
        changes[count++] = (struct local_config_change){
            .key = key, .value = cJSON_GetStringValue(cJSON_GetArrayItem(pair, 1))};
    }
    return count;
}

static cJSON *failure_new(const char *path, const struct err *err)
{
    struct err told = *err;
    cJSON *result;

    err_set(&told, err->class, "%s",
            err->class == ERR_NOT_FOUND ? "Session repository is unavailable for Git configuration"
                                        : "Git signing configuration failed");
    result = worker_result_new(&told);
    json_add_string(result, "detail", err->text);
    json_add_string(result, "path", path);
    return result;
}

/* The result line: the first failure, if there was one. */
static cJSON *apply_to_all(const cJSON *input, const struct local_config_change *changes,
                           size_t count)
{
    bool optional = json_get_bool(input, "optional", false);
    cJSON *result = NULL;
    const cJSON *checkout;

    cJSON_ArrayForEach(checkout, json_get_array(input, "checkouts")) {
        const char *path = cJSON_GetStringValue(checkout);
        struct err err = {0};

        if (!path || local_config_apply(path, changes, count, &err) == 0)
            continue;
        if (!result)
            result = failure_new(path, &err);
        if (!optional)
            break;
    }
    return result ? result : worker_result_new(NULL);
}

int git_config_worker_main(void)
{
    struct local_config_change changes[CHANGES_MAX];
    struct err err = {0};
    AUTO_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    int count = read_changes(json_get_array(input, "changes"), changes);
    bool ok;
    cJSON *result;

    if (input && count < 0)
        err_set(&err, ERR_CONFIG, "worker input: \"changes\" is no short list of pairs");
    result =
        input && count >= 0 ? apply_to_all(input, changes, (size_t)count) : failure_new(NULL, &err);
    ok = json_get_bool(result, "ok", false);
    worker_emit(WORKER_OUTPUT_FD, result);
    library_stop();
    return ok ? 0 : 1;
}
