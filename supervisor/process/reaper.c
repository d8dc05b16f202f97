#include "supervisor/process/reaper.h"

#include <errno.h>
#include <sys/wait.h>

static struct reaper_watch *take_watch(struct reaper *reaper, pid_t pid)
{
    for (struct reaper_watch **at = &reaper->watches; *at; at = &(*at)->next) {
        struct reaper_watch *found = *at;

        if (found->pid != pid)
            continue;
        *at = found->next;
        return found;
    }
    return NULL;
}

static int exit_code_of(int status)
{
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool reaper_collect(struct reaper *reaper)
{
    bool left;

    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        struct reaper_watch *watch;

        if (pid < 0 && errno == EINTR)
            continue;
        left = pid == 0;
        if (pid <= 0)
            break;
        watch = take_watch(reaper, pid);
        if (watch) {
            watch->on_reaped(watch->user, exit_code_of(status));
            continue;
        }
        reaper->orphans++;
        log_at(reaper->log, LOG_DEBUG, "process.reaped", LOG_NUM("pid", pid),
               LOG_NUM("exit_code", exit_code_of(status)));
    }
    if (reaper->on_collected)
        reaper->on_collected(reaper->user, left);
    return left;
}

static void on_child_signal(uv_signal_t *handle, int number)
{
    (void)number;
    reaper_collect(handle->data);
}

int reaper_init(struct reaper *reaper, uv_loop_t *loop, struct log *log, struct err *err)
{
    int rc;

    *reaper = (struct reaper){.log = log};
    reaper->child_signal.data = reaper;
    uv_signal_init(loop, &reaper->child_signal);
    rc = uv_signal_start(&reaper->child_signal, on_child_signal, SIGCHLD);
    if (rc != 0)
        return err_set_sys(err, -rc, "watch for SIGCHLD");
    reaper_collect(reaper); /* who died before gave a signal that nobody took */
    return 0;
}

void reaper_close(struct reaper *reaper)
{
    uv_close((uv_handle_t *)&reaper->child_signal, NULL);
}

void reaper_watch_process(struct reaper *reaper, struct reaper_watch *watch)
{
    watch->next = reaper->watches;
    reaper->watches = watch;
}

void reaper_forget(struct reaper *reaper, struct reaper_watch *watch)
{
    take_watch(reaper, watch->pid);
}
