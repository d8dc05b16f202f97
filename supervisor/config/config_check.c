#include "supervisor/config/config_check.h"

#include "common/cleanup.h"
#include "common/json.h"

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

/* S-26: one line for each piece that is no port. */
static void log_bad_tunnel_ports(const char *raw, struct log *log)
{
    struct tunnel_piece piece;
    const char *at = raw ? raw : "";

    while (tunnel_piece_next(&at, &piece)) {
        AUTO_FREE char *value = piece.port == 0 ? strndup(piece.text, piece.len) : NULL;

        if (value)
            log_at(log, LOG_WARNING, "tunnel.expected_ports_parse_failed", LOG_STR("value", value),
                   LOG_STR("raw", raw));
    }
}

/* S-424: one line names all that is missing. */
static void log_half_callback(const struct config_build *build, struct log *log)
{
    const char *missing[CONFIG_BUILD_VARIABLES];
    size_t count = config_build_missing(build, missing);
    AUTO_JSON cJSON *list = cJSON_CreateStringArray(missing, (int)count);
    AUTO_BUF struct buf text = BUF_INIT(LOG_LINE_MAX);

    if (count == 0)
        return;
    json_print(list, &text);
    log_at(log, LOG_ERROR, "repo_image.callback_misconfigured",
           LOG_JSON("missing", buf_text(&text)));
}

void config_check_log(const struct config *config, struct log *log)
{
    log_lines(&config->problems, log, LOG_ERROR, "supervisor.config_invalid");
    log_lines(&config->remarks, log, LOG_WARNING, "supervisor.config_defaulted");
    log_bad_tunnel_ports(config->bad_tunnel_ports, log);
    log_half_callback(&config->build, log);
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
    if (config->bad_tunnel_ports)
        fprintf(out, "remark: EXPECTED_TUNNEL_PORTS: \"%s\": what is no port is left out\n",
                config->bad_tunnel_ports);
    if (problems > 0) {
        fprintf(out, "not usable: %u problem%s to repair in what the launcher sets\n", problems,
                problems == 1 ? "" : "s");
        return EXIT_FAILURE;
    }
    fprintf(out, "usable: %s contract (%s), boot mode %s, %zu repositor%s\n",
            config->era == ERA_CURRENT ? "current" : "legacy", config->era_reason,
            config_boot_mode_name(config->boot_mode), config->repositories.count,
            config->repositories.count == 1 ? "y" : "ies");
    return EXIT_SUCCESS;
}
