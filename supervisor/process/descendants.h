/*
 * Signals to every process that came from us, however it hid: own session, double fork (S-355). As
 * PID 1 that is everything in our PID namespace; otherwise whoever /proc shows below us, which as a
 * subreaper includes orphans.
 */
#ifndef SUPERVISOR_PROCESS_DESCENDANTS_H
#define SUPERVISOR_PROCESS_DESCENDANTS_H

#include <stdbool.h>
#include <sys/types.h>

/* How many were signalled; 0 as PID 1 when there is nobody. Without /proc only PID 1 can do it. */
unsigned descendants_signal(int number);

/* Whether the process came from us. A program that a container manager put beside us did not. */
bool descendants_include(pid_t pid);

#endif
