/*
 * The path by which this program can be executed again, as a worker or to find what lies beside
 * it. The string is static; any thread may ask.
 */
#ifndef COMMON_SELF_PROGRAM_H
#define COMMON_SELF_PROGRAM_H

/* "/proc/self/exe"; where no /proc is mounted, the path that this program was started with. */
const char *self_program(void);

#endif
