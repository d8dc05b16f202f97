/*
 * The versions of the libraries in this program, for --version.
 */
#ifndef SUPERVISOR_LIBRARY_VERSIONS_H
#define SUPERVISOR_LIBRARY_VERSIONS_H

#define LIBRARY_VERSIONS_MAX 256

/* One line of at most LIBRARY_VERSIONS_MAX bytes. */
void library_versions_print(char *out);

#endif
