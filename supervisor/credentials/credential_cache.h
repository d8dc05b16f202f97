/*
 * The credential that all git processes of a sandbox share (S-234..S-241): one file, replaced
 * atomically, and one lock, so that one request serves all who wait. It lies in memory (tmpfs or
 * ramfs), because a snapshot must not contain it (S-461); where there is no memory there is no cache.
 *
 * Used by processes that may block: the helper and the git worker. The supervisor only removes it.
 */
#ifndef SUPERVISOR_CREDENTIALS_CREDENTIAL_CACHE_H
#define SUPERVISOR_CREDENTIALS_CREDENTIAL_CACHE_H

#include "supervisor/credentials/credential.h"

#include <limits.h>

#define CREDENTIAL_CACHE_VARIABLE "OI_SCM_CRED_CACHE_DIR"
#define CREDENTIAL_CACHE_USUAL "/run/oi"
/* S-240: then one asks for oneself. */
#define CREDENTIAL_LOCK_LIMIT_MS (20 * 1000)

struct credential_cache {
    char directory[PATH_MAX];
    const char *endpoint;
    int lock_fd; /* -1: there is no lock file */
    bool locked;
};

/* The directory: what the variable says, if that is not on a disk, else one in memory of our own, else
 * one that credential_cache_open() will refuse; `root` is put before our own choices. */
void credential_cache_choose_directory(const char *root, char directory[PATH_MAX]);

/*
 * Makes the directory (0700) and opens the lock. -1, also for a directory on a disk: there is no cache then, all others do nothing.
 * `endpoint` says who gives the credentials, so that two sessions that share a directory never get
 * each other's; the caller's, and must outlive the cache.
 */
int credential_cache_open(struct credential_cache *cache, const char *directory,
                          const char *endpoint, struct err *err);
void credential_cache_close(struct credential_cache *cache);

/* 0 and a credential that is fresh at `now_ms` (wall clock), or -1. */
int credential_cache_read(const struct credential_cache *cache, uint64_t now_ms,
                          struct credential *credential);

/* Keeps what the control plane answered, with all its keys. */
int credential_cache_write(const struct credential_cache *cache, const char *answer, size_t len,
                           struct err *err);

/* Waits for the lock; false when it was not to be had within `limit_ms`. */
bool credential_cache_lock(struct credential_cache *cache, unsigned limit_ms);
void credential_cache_unlock(struct credential_cache *cache);

/*
 * Failures are shared too, by the lock file: who holds the lock notes one, and who was waiting for
 * the lock when it happened takes it for an answer instead of asking the same again. Times are of
 * the monotonic clock.
 */
void credential_cache_note_failure(struct credential_cache *cache, uint64_t now_ms,
                                   const struct err *failure);
bool credential_cache_failed_since(struct credential_cache *cache, uint64_t since_ms,
                                   struct err *failure);

/* Forgets what is cached; nothing there is fine. */
void credential_cache_remove(const char *directory);

/* Forgets the credential with this password, for the git host said that it does not work. */
void credential_cache_reject(struct credential_cache *cache, const char *password);

#endif
