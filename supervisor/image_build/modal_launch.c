#include "supervisor/image_build/modal_launch.h"

#include "common/cleanup.h"
#include "supervisor/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#define LINE_LEN (MODAL_TOKEN_LEN + 1)
#define REASON_MAX 1024

const char *modal_launch_check_token(const char *line, size_t len)
{
    if (len == 0)
        return "stdin closed";
    if (len > LINE_LEN)
        return "callback token too large";
    if (line[len - 1] != '\n')
        return "incomplete callback token";
    if (len != LINE_LEN)
        return "invalid callback token";
    for (size_t i = 0; i < MODAL_TOKEN_LEN; i++) {
        if (!strchr("0123456789abcdef", line[i]) || line[i] == '\0')
            return "invalid callback token";
    }
    return NULL;
}

/* What is there to read, or the end: 1; a signal came before: 0. */
static int wait_for_input(int fd, int signals)
{
    struct pollfd polls[] = {{.fd = fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

    for (;;) {
        if (poll(polls, ARRAY_LENGTH(polls), -1) < 0) {
            if (errno == EINTR)
                continue;
            return 1; /* the read will say what is wrong */
        }
        /* A token that is complete when the signal comes wins (S-433). */
        if (polls[0].revents)
            return 1;
        if (polls[1].revents)
            return 0;
    }
}

/* One line, or one byte more than a line may have, or up to the end. -1 when a signal came. */
static ssize_t read_line(int fd, int signals, char *line)
{
    size_t len = 0;

    while (len <= LINE_LEN && (len == 0 || line[len - 1] != '\n')) {
        ssize_t got;

        if (wait_for_input(fd, signals) == 0)
            return -1;
        got = read(fd, line + len, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len++;
    }
    return (ssize_t)len;
}

static enum modal_launch refuse(const struct config *config, struct log *log, const char *reason)
{
    log_at(log, LOG_ERROR, "image_build.launch_failed", LOG_STR("build_id", config->build.id),
           LOG_STR("reason", reason));
    return MODAL_LAUNCH_REFUSED;
}

/* S-434 */
static enum modal_launch refuse_incomplete(const struct config *config, struct log *log,
                                           const char *const missing[CONFIG_BUILD_VARIABLES])
{
    AUTO_BUF struct buf reason = BUF_INIT(REASON_MAX);

    for (size_t i = 0; i < CONFIG_BUILD_VARIABLES && missing[i]; i++)
        buf_printf(&reason, "%s%s", i == 0 ? "missing " : ", ", missing[i]);
    return refuse(config, log, buf_text(&reason));
}

static enum modal_launch cancel(int signals, const struct config *config, struct log *log)
{
    struct signalfd_siginfo info = {0};

    if (read(signals, &info, sizeof info) == sizeof info)
        log_at(log, LOG_INFO, "supervisor.signal",
               LOG_STR("signal_name", signals_name((int)info.ssi_signo)));
    log_at(log, LOG_INFO, "image_build.launch_cancelled", LOG_STR("build_id", config->build.id));
    return MODAL_LAUNCH_CANCELLED;
}

static enum modal_launch take_token(int fd, int signals, struct config *config, struct log *log)
{
    char line[LINE_LEN + 1] = "";
    ssize_t len = read_line(fd, signals, line);
    const char *problem = len < 0 ? NULL : modal_launch_check_token(line, (size_t)len);

    free(config->build.token);
    config->build.token = len < 0 || problem ? NULL : strndup(line, MODAL_TOKEN_LEN);
    explicit_bzero(line, sizeof line); /* what is refused may be a token all the same */
    if (len < 0)
        return cancel(signals, config, log);
    if (problem)
        return refuse(config, log, problem);
    if (!config->build.token)
        return refuse(config, log, "out of memory");
    redact_add_secret(log_redact(log), config->build.token);
    log_at(log, LOG_INFO, "image_build.launch_accepted", LOG_STR("build_id", config->build.id),
           LOG_STR("provider_session_id", config->build.provider_session_id));
    return MODAL_LAUNCH_ACCEPTED;
}

enum modal_launch modal_launch_wait(int fd, struct config *config, struct log *log)
{
    AUTO_CLOSE int signals = -1;
    enum modal_launch launch;
    const char *missing[CONFIG_BUILD_VARIABLES];
    sigset_t wanted, before;

    if (config->boot_mode != BOOT_BUILD)
        return refuse(config, log, "invalid_build_mode");
    if (!config->build.id || !*config->build.id)
        return refuse(config, log, "missing_build_identity");
    /* With a token one can at least tell of other problems (S-132). */
    if (config_build_missing(&config->build, missing) > 0)
        return refuse_incomplete(config, log, missing);
    log_at(log, LOG_INFO, "image_build.awaiting_start", LOG_STR("build_id", config->build.id));
    signals_fill_ends(&wanted);
    sigprocmask(SIG_BLOCK, &wanted, &before);
    signals = signalfd(-1, &wanted, SFD_CLOEXEC);
    launch = take_token(fd, signals, config, log);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return launch;
}
