/*
 * One child of the supervisor: started in its own session (S-354), its standard output and error in
 * one pipe that is cut into lines, its death told once. The owner embeds the struct, which must
 * stay in place until process_close() and the loop have run; it may be started again from on_exit.
 *
 * The death is the leader's, not the end of the pipe (S-267, S-356): what the leader has written is
 * read before on_exit is called. Then the pipe is closed, or with `keeps_output` read on until its
 * last writer is gone, so that a server left behind by a hook does not die of SIGPIPE.
 */
#ifndef SUPERVISOR_PROCESS_PROCESS_H
#define SUPERVISOR_PROCESS_PROCESS_H

#include "common/err.h"
#include "common/line_splitter.h"
#include "common/spawn.h"
#include "supervisor/process/reaper.h"

#include <stdbool.h>
#include <uv.h>

#define PROCESS_CHUNK 4096

/* What a process tells its owner. Each may be NULL. */
struct process_listener {
    line_fn *on_line;
    void (*on_exit)(void *user, int exit_code);
    void *user;
};

struct process {
    uv_loop_t *loop;
    struct reaper *reaper;
    struct process_listener listener;
    struct reaper_watch watch;
    struct line_splitter lines;
    uv_pipe_t *output; /* NULL: closed; each run has its own, freed once the loop let go of it */
    bool keeps_output;
    bool running;
    pid_t pid; /* 0 when it was never started */
    uint64_t started_ms;
    char chunk[PROCESS_CHUNK];
    bool has_had_turn; /* it filled the chunk in this turn of the loop */
};

/* `line_max` bounds one line of output. */
void process_init(struct process *process, uv_loop_t *loop, struct reaper *reaper, size_t line_max,
                  struct process_listener listener);
void process_close(struct process *process);

/*
 * Starts `options` with our additions: own session, death with the parent, output to our pipe.
 * `input_fd` becomes standard input (-1: /dev/null), `extra_fd` descriptor 3 (-1: none); both stay
 * the caller's.
 */
int process_start(struct process *process, const struct spawn_options *options, int input_fd,
                  int extra_fd, struct err *err);

/* Sends to the whole group; nothing happens when it is not running. A leader that is stopped goes on with
 * a SIGTERM, which it would else not hear before its time is over. */
void process_signal(struct process *process, int number);

/* Somebody of its group is there; to be asked no later than in on_exit, while the number is ours. */
bool process_group_lives(const struct process *process);

/* SIGKILL to whatever of its group outlived the leader. */
void process_kill_group(const struct process *process);

#endif
