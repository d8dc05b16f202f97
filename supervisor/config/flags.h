/*
 * The command line (S-1..S-3): settings that exist only for this program are flags, because any
 * variable could be set by a user's secret. Pure. The strings belong to argv.
 */
#ifndef SUPERVISOR_CONFIG_FLAGS_H
#define SUPERVISOR_CONFIG_FLAGS_H

#include "common/err.h"

#include <stdbool.h>

#define FLAGS_MEMORY_LIMIT_MOST_MB (1024L * 1024L)

enum flags_action { FLAGS_RUN, FLAGS_HELP, FLAGS_VERSION, FLAGS_WORKER, FLAGS_CHECK, FLAGS_PLAN };

enum era_choice { ERA_CHOICE_AUTO, ERA_CHOICE_LEGACY, ERA_CHOICE_CURRENT };

struct flags {
    enum flags_action action;
    enum era_choice era;
    const char *test_root;      /* in front of every absolute path of ours; "" by default */
    const char *bridge_command; /* NULL: oi-bridge beside this program, else on PATH */
    const char *opencode_host;  /* NULL: the environment's or loopback */
    const char *log_service;    /* NULL: the environment's or "sandbox" */
    const char *worker;         /* with FLAGS_WORKER: which */
    const char *opencode_memory_limit_mb; /* a whole number up to that; NULL: the usual */
    bool bridge_early_connect;
    bool opencode_snapshot;
    bool await_modal_token; /* S-2 */
};

/* 0, or -1 and a one-line reason for a usage error (exit status 2). */
int flags_parse(int argc, char *const argv[], struct flags *flags, struct err *err);

/* The text of --help. */
extern const char flags_usage[];

#endif
