/*
 * What an image build has on top of a boot (contract section 11): a budget for clone and setup.sh,
 * and one callback about its end. Embedded; stays in place until image_build_close() and the loop
 * have run. `config` must outlive it.
 */
#ifndef SUPERVISOR_IMAGE_BUILD_IMAGE_BUILD_H
#define SUPERVISOR_IMAGE_BUILD_IMAGE_BUILD_H

#include "supervisor/image_build/build_callback.h"

struct image_build_listener {
    /* The budget is used up, or nobody accepted the success (S-430). */
    void (*on_failed)(void *user, const struct err *err);
    /* The failure was told, or nobody wanted to hear of it. */
    void (*on_failure_told)(void *user);
    void *user;
};

enum image_build_state {
    IMAGE_BUILD_WORKING,
    IMAGE_BUILD_TELLING_SUCCESS,
    IMAGE_BUILD_TELLING_FAILURE,
    IMAGE_BUILD_OVER,
};

struct image_build {
    struct log *log;
    const struct config *config;
    struct image_build_listener listener;
    struct build_callback callback;
    uv_timer_t budget;
    enum image_build_state state;
};

void image_build_init(struct image_build *build, uv_loop_t *loop, struct reaper *reaper,
                      struct log *log, const struct config *config,
                      struct image_build_listener listener);
void image_build_close(struct image_build *build);

/* The boot begins: from now the budget runs. */
void image_build_start(struct image_build *build);

/* The boot is done. `head_shas[i]` is repository i's HEAD, or "". */
void image_build_complete(struct image_build *build, uint64_t duration_ms,
                          const char *const *head_shas);

/* `error` is redacted already. on_failure_told follows, perhaps before this returns. */
void image_build_fail(struct image_build *build, const char *error);

/* Somebody wants the end: nothing is told any more (S-369, S-431). */
void image_build_cancel(struct image_build *build);

#endif
