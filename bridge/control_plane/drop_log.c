#include "bridge/control_plane/drop_log.h"

#include <stdio.h>

#define LINE_INTERVAL_MS 1000

static void say(struct drop_log *self)
{
    log_at(self->log, LOG_WARNING, "bridge.event_dropped", LOG_NUM("count", self->count),
           LOG_STR("what", self->what[0] ? self->what : NULL), LOG_STR("reason", self->reason));
    self->count = 0;
    self->what[0] = '\0';
}

static void on_interval_over(uv_timer_t *timer)
{
    struct drop_log *self = timer->data;

    if (self->count == 0)
        return;
    say(self);
    uv_timer_start(timer, on_interval_over, LINE_INTERVAL_MS, 0);
}

void drop_log_open(struct drop_log *self, uv_loop_t *loop, struct log *log)
{
    *self = (struct drop_log){.log = log};
    uv_timer_init(loop, &self->timer);
    self->timer.data = self;
}

void drop_log_note(struct drop_log *self, const char *what, const char *reason)
{
    if (self->count++ == 0 || (what && !self->what[0])) {
        snprintf(self->what, sizeof self->what, "%s", what ? what : "");
        self->reason = reason;
    }
    if (uv_is_active((uv_handle_t *)&self->timer))
        return;
    say(self);
    uv_timer_start(&self->timer, on_interval_over, LINE_INTERVAL_MS, 0);
}

void drop_log_close(struct drop_log *self)
{
    if (self->count > 0)
        say(self);
    uv_close((uv_handle_t *)&self->timer, NULL);
}
