/*
 * The start of an image build on Modal (contract 11.3): the launcher starts us first and sends the
 * callback's token afterwards, as one line on standard input, so that no environment holds it.
 */
#ifndef SUPERVISOR_IMAGE_BUILD_MODAL_LAUNCH_H
#define SUPERVISOR_IMAGE_BUILD_MODAL_LAUNCH_H

#include "common/log.h"
#include "supervisor/config/config.h"

#define MODAL_TOKEN_LEN 64

enum modal_launch {
    MODAL_LAUNCH_ACCEPTED,  /* the build may begin; the token is in the configuration */
    MODAL_LAUNCH_CANCELLED, /* a signal came first: exit status 0 */
    MODAL_LAUNCH_REFUSED,   /* logged: exit status 1 */
};

/* Waits for the token on `fd` without limit; a signal that asks for the end (signals.h) ends the wait. Called before the
 * event loop and before any child. */
enum modal_launch modal_launch_wait(int fd, struct config *config, struct log *log);

/* NULL when `line`, with its newline, is a token; else the reason of the contract (S-433). Pure. */
const char *modal_launch_check_token(const char *line, size_t len);

#endif
