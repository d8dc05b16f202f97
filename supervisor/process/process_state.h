/*
 * What a process is doing, as far as /proc shows it to us: for the log, before a process that does
 * not answer is killed. Reads a few small files and never blocks on the process.
 */
#ifndef SUPERVISOR_PROCESS_PROCESS_STATE_H
#define SUPERVISOR_PROCESS_PROCESS_STATE_H

#include <stdint.h>
#include <sys/types.h>

#define PROC_ROOT "/proc"

#define PROCESS_STATE_TEXT_MAX 64
#define PROCESS_STATE_STACK_MAX 1024

struct process_state {
    char state[PROCESS_STATE_TEXT_MAX]; /* "D (disk sleep)"; all texts are "" when not readable */
    char wchan[PROCESS_STATE_TEXT_MAX]; /* where in the kernel it waits */
    char syscall[PROCESS_STATE_TEXT_MAX];
    char stack[PROCESS_STATE_STACK_MAX]; /* the kernel's, innermost first: root sees it */
    uint64_t threads;
    uint64_t rss_kib;
};

/* `proc` is PROC_ROOT. What cannot be read stays "" or 0. */
void process_state_read(const char *proc, pid_t pid, struct process_state *state);

/* Resident memory alone; 0 when it cannot be read. */
uint64_t process_state_rss_kib(const char *proc, pid_t pid);

#endif
