/*
 * Whose silence it is when OpenCode's stream says nothing: its own, or ours.
 */
#include "bridge/prompt/prompt_run_private.h"

/* A timer that comes this much too late: the process stood still (a frozen sandbox, SIGSTOP), and maybe
 * OpenCode with it. */
#define STOOD_STILL_MS 1000

static void forgive_silence(struct prompt_run *run, uint64_t now)
{
    run->heard_ms = now;
    translator_not_listening(run->translator, now);
}

/* Half an event is a sign of life (B-524). A stream that is paused cannot give any (D-12). Silence while
 * we stood still is none of death: what was sent meanwhile is not read yet, and OpenCode may have stood
 * still as well. */
void prompt_silence_tick(struct prompt_run *run, uint64_t now)
{
    uint64_t heard_ms = event_feed_last_byte_ms(run->options.feed);

    if (event_feed_is_paused(run->options.feed) || now > run->timer_due_ms + STOOD_STILL_MS) {
        forgive_silence(run, now);
        return;
    }
    if (heard_ms <= run->heard_ms)
        return;
    run->heard_ms = heard_ms;
    translator_heard(run->translator, heard_ms);
}

void prompt_run_on_feed_resumed(struct prompt_run *run)
{
    forgive_silence(run, prompt_run_now(run));
}
