#include "supervisor/config/config_check.h"

#include <stdlib.h>
#include <string.h>

static void log_lines(const struct buf *lines, struct log *log, enum log_level level,
                      const char *event)
{
    const char *at = buf_text(lines);

    while (*at) {
        size_t len = strcspn(at, "\n");
        char *line = strndup(at, len);

        log_at(log, level, event, LOG_STR("error_type", "config"), LOG_STR("error_message", line));
        free(line);
        at += len + (at[len] == '\n');
    }
}

void config_check_log(const struct config *config, struct log *log)
{
    log_lines(&config->problems, log, LOG_ERROR, "supervisor.config_invalid");
    log_lines(&config->remarks, log, LOG_WARNING, "supervisor.config_defaulted");
}

static unsigned print_lines(const struct buf *lines, const char *what, FILE *out)
{
    unsigned count = 0;

    for (const char *at = buf_text(lines); *at; count++) {
        size_t len = strcspn(at, "\n");

        fprintf(out, "%s: %.*s\n", what, (int)len, at);
        at += len + (at[len] == '\n');
    }
    return count;
}

int config_check_print(const struct config *config, FILE *out)
{
    unsigned problems = print_lines(&config->problems, "problem", out);

    print_lines(&config->remarks, "remark", out);
    if (problems > 0) {
        fprintf(out, "not usable: %u problem%s to repair in what the launcher sets\n", problems,
                problems == 1 ? "" : "s");
        return EXIT_FAILURE;
    }
    fprintf(out, "usable: %s contract (%s), boot mode %s, %zu repositories\n",
            config->era == ERA_CURRENT ? "current" : "legacy", config->era_reason,
            config_boot_mode_name(config->boot_mode), config->repositories.count);
    return EXIT_SUCCESS;
}
