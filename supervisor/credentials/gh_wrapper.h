/*
 * The program under its third name, gh (contract 3.10): gives GitHub's command line a token in its
 * environment, then becomes the real one with the same arguments. The token is never in argv.
 */
#ifndef SUPERVISOR_CREDENTIALS_GH_WRAPPER_H
#define SUPERVISOR_CREDENTIALS_GH_WRAPPER_H

#define GH_WRAPPER_NAME "gh"
/* Where distributions put the real one. */
#define GH_WRAPPER_REAL "/usr/bin/gh"

/* Returns only when there is no real gh: the exit status, 127 as a shell's. */
int gh_wrapper_main(char *const argv[]);

#endif
