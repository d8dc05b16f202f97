/*
 * Where the log goes: our standard output, opened a second time so that it never blocks us (S-316).
 * The flag O_NONBLOCK belongs to the open file, which we share with whoever started us and with
 * workers; a second one is ours alone.
 */
#ifndef SUPERVISOR_LOG_OUTPUT_H
#define SUPERVISOR_LOG_OUTPUT_H

/* A descriptor that is always usable: standard output itself when it cannot be opened again. */
int log_output_open(void);
void log_output_close(int fd);

#endif
