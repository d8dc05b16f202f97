#include "supervisor/skills/skills_worker.h"

#include "common/json.h"
#include "common/worker.h"
#include "supervisor/skills/skill_collisions.h"
#include "supervisor/skills/skills_fetch.h"

#include <stdlib.h>
#include <string.h>

#define COLLISIONS_SHOWN_MAX (WORKER_LINE_MAX / 2)

static enum skill_fault fetch(const cJSON *input, struct skill_store *store, cJSON *result,
                              struct err *err)
{
    struct skills_fetch fetch = {.url = json_get_string(input, "url"),
                                 .token = json_get_string(input, "token")};
    enum skill_fault fault = SKILL_FAULT_INSTALL;
    double limit_ms = 0;
    bool unchanged;

    json_get_number(input, "limit_ms", &limit_ms);
    fetch.limit_ms = (uint64_t)limit_ms;
    if (!fetch.url || !fetch.token) {
        err_set(err, ERR_INTERNAL, "skills: input without url or token");
        return SKILL_FAULT_FETCH;
    }
    if (skill_store_begin(store, err) == 0)
        fault = skills_fetch_run(&fetch, store, err);
    unchanged = fault == SKILL_FAULT_NONE && fetch.pages.skills == 0 && skill_store_is_empty(store);
    if (fault != SKILL_FAULT_NONE || fetch.unsupported || unchanged)
        skill_store_abort(store);
    json_add_bool(result, "unchanged", unchanged);
    if (fetch.unsupported)
        json_add_number(result, "unsupported", fetch.unsupported);
    json_add_string(result, "manifest_sha256", fetch.pages.manifest_sha256);
    json_add_number(result, "skill_count", (double)fetch.pages.skills);
    return fault;
}

static enum skill_fault install(const cJSON *input, const struct skill_store *store, cJSON *result,
                                struct err *err)
{
    cJSON *collisions = skill_collisions_drop(store->staging, store->target,
                                              json_get_array(input, "searched"), err);

    if (collisions) {
        AUTO_BUF struct buf text = BUF_INIT(COLLISIONS_SHOWN_MAX);

        json_add_number(result, "dropped", cJSON_GetArraySize(collisions));
        json_print(collisions, &text);
        /* The result is one line; the number alone must do then. */
        if (buf_failed(&text)) {
            cJSON_Delete(collisions);
            collisions = cJSON_CreateArray();
        }
        json_put(result, "collisions", collisions);
        if (skill_store_commit(store, err) == 0)
            return SKILL_FAULT_NONE;
    }
    skill_store_abort(store);
    return SKILL_FAULT_INSTALL;
}

static enum skill_fault run(const cJSON *input, cJSON *result, struct err *err)
{
    const char *action = json_get_string(input, "action");
    const char *directory = json_get_nonempty(input, "directory");
    struct skill_store store;

    if (!action || !directory) {
        if (input)
            err_set(err, ERR_INTERNAL, "skills: input without action or directory");
        return SKILL_FAULT_INSTALL;
    }
    if (skill_store_open(&store, directory, err) != 0)
        return SKILL_FAULT_INSTALL;
    return strcmp(action, "fetch") == 0 ? fetch(input, &store, result, err)
                                        : install(input, &store, result, err);
}

int skills_worker_main(void)
{
    struct err err = {0};
    AUTO_SECRET_JSON cJSON *input = worker_read_input(WORKER_INPUT_FD, &err);
    cJSON *result = worker_result_new(NULL);
    enum skill_fault fault = run(input, result, &err);

    if (fault != SKILL_FAULT_NONE) {
        cJSON_Delete(result);
        result = worker_result_new(&err);
        json_add_string(result, "error_code", skill_fault_name(fault));
    }
    return worker_emit(WORKER_OUTPUT_FD, result) == 0 && fault == SKILL_FAULT_NONE ? EXIT_SUCCESS
                                                                                   : EXIT_FAILURE;
}
