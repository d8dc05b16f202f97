/*
 * Which build this is. The text comes from the file VERSION through the Makefile, which gives it to
 * version.c alone, so that a new version compiles one file. Static storage; anyone may call.
 */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

/* As in "0.1.0". */
const char *version_text(void);

/* What a control plane compares with the oldest runtime it accepts: "v", the generation of the public
 * runtime whose contract we keep, a name (S-439). From plugin/runtime_manifest.json. */
const char *version_runtime(void);

#endif
