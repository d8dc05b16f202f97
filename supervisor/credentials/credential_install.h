/*
 * The worker that makes git and gh in the sandbox use this program (S-224..S-227, S-242): links
 * named oi-git-credentials and gh, and the user's git configuration. No checkout is touched. It is
 * a worker because it uses libgit2 and because files may hang.
 *
 * Input: {"root": "", "legacy": false}. `root` is put before /usr/local/bin and /usr/bin.
 * Output: {"type":"event","event":"credential_helper.shim_write_failed"|
 *   "credential_helper.config_failed"|"gh_wrapper.install_failed","fields":{...}} for what could
 *   not be done (S-493), and a result, always with ok true: a sandbox is of use without.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_INSTALL_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_INSTALL_H

#define CREDENTIAL_INSTALL_WORKER "credentials"

/* The whole life of the worker process; returns its exit status. */
int credential_install_main(void);

#endif
