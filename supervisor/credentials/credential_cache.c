#include "supervisor/credentials/credential_cache.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/env.h"
#include "common/file.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/vfs.h>

#define CREDENTIALS_FILE "scm-creds.json"
#define TEMPORARY_FILE ".scm-creds.json.tmp"
#define LOCK_FILE "scm-creds.lock"
#define DIRECTORY_MODE 0700
#define FILE_MODE 0600
#define PARENT_MODE 0755
#define FILE_MAX (64 * 1024)
#define MS_PER_S 1000
#define US_PER_MS 1000

/* ---- where ---- */

enum place { PLACE_UNKNOWN, PLACE_MEMORY, PLACE_DISK };

/* Where a path lies, or would lie if it was made. */
static enum place place_of(const char *path)
{
    char nearest[PATH_MAX];
    struct statfs fs;
    char *slash;

    if (snprintf(nearest, sizeof nearest, "%s", path) >= PATH_MAX)
        return PLACE_UNKNOWN;
    while (statfs(nearest, &fs) != 0) {
        slash = strrchr(nearest, '/');
        if (errno != ENOENT || !slash || !nearest[1])
            return PLACE_UNKNOWN;
        slash[slash == nearest] = '\0';
    }
    return fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC ? PLACE_MEMORY : PLACE_DISK;
}

/* A directory of ours below `parent`, when that is memory and may be written to. */
static bool choose_in_memory(const char *root, const char *parent, const char *name,
                             char directory[PATH_MAX])
{
    int len = snprintf(directory, PATH_MAX, "%s%s", root, parent);

    if (len >= PATH_MAX || place_of(directory) != PLACE_MEMORY || access(directory, W_OK) != 0)
        return false;
    return snprintf(directory + len, (size_t)(PATH_MAX - len), "/%s", name) < PATH_MAX - len;
}

void credential_cache_choose_directory(const char *root, char directory[PATH_MAX])
{
    const char *own = env_get(CREDENTIAL_CACHE_VARIABLE);
    char shared_name[32];
    bool named_is_usable;

    snprintf(shared_name, sizeof shared_name, "oi-%u", (unsigned)geteuid());
    if (own && strlen(own) >= PATH_MAX)
        own = NULL;
    /* What is named but lies on a disk is used by nobody: a snapshot would keep it (S-461). */
    named_is_usable = own && place_of(own) != PLACE_DISK;
    if (!named_is_usable && (choose_in_memory(root, "/run", "oi", directory) ||
                             choose_in_memory(root, "/dev/shm", shared_name, directory)))
        return;
    if (snprintf(directory, PATH_MAX, "%s%s", own ? "" : root,
                 own ? own : CREDENTIAL_CACHE_USUAL) >= PATH_MAX)
        directory[0] = '\0';
}

static int path_of(const struct credential_cache *cache, const char *name, char path[PATH_MAX])
{
    return snprintf(path, PATH_MAX, "%s/%s", cache->directory, name) < PATH_MAX ? 0 : -1;
}

/* Nobody else may have put it there or may read it. */
static bool is_ours(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

static int make_directory(const char *directory, struct err *err)
{
    char parent[PATH_MAX];
    char *slash;

    snprintf(parent, sizeof parent, "%s", directory);
    slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = '\0';
        if (file_make_directories(parent, PARENT_MODE, err) < 0)
            return -1;
    }
    if (mkdir(directory, DIRECTORY_MODE) != 0 && errno != EEXIST)
        return err_set_sys(err, errno, "make directory %s", directory);
    return 0;
}

int credential_cache_open(struct credential_cache *cache, const char *directory,
                          const char *endpoint, struct err *err)
{
    char path[PATH_MAX];

    *cache = (struct credential_cache){.endpoint = endpoint, .lock_fd = -1};
    if (place_of(directory) == PLACE_DISK)
        return err_set(err, ERR_IO,
                       "the credential is not cached, for %s is on a disk, which a snapshot keeps; "
                       "set " CREDENTIAL_CACHE_VARIABLE " to a directory on a tmpfs",
                       directory);
    if (make_directory(directory, err) < 0)
        return -1;
    snprintf(cache->directory, sizeof cache->directory, "%s", directory);
    if (path_of(cache, LOCK_FILE, path) == 0)
        cache->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (cache->lock_fd >= 0 && is_ours(cache->lock_fd))
        return 0;
    err_set_sys(err, cache->lock_fd < 0 ? errno : EPERM, "open %s/%s", directory, LOCK_FILE);
    credential_cache_close(cache);
    return -1;
}

void credential_cache_close(struct credential_cache *cache)
{
    if (cache->lock_fd >= 0)
        close(cache->lock_fd);
    *cache = (struct credential_cache){.lock_fd = -1};
}

/* ---- the credential ---- */

int credential_cache_read(const struct credential_cache *cache, uint64_t now_ms,
                          struct credential *credential)
{
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    AUTO_CLOSE int fd = -1;
    char path[PATH_MAX];
    char *into = buf_reserve(&text, FILE_MAX);
    ssize_t got;
    int result;

    *credential = (struct credential){0};
    if (cache->lock_fd < 0 || !into || path_of(cache, CREDENTIALS_FILE, path) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || !is_ours(fd))
        return -1;
    /* One write made it, and it is replaced whole: one read gets it. */
    got = read(fd, into, FILE_MAX);
    if (got <= 0)
        return -1;
    result = credential_parse(into, (size_t)got, credential, NULL);
    explicit_bzero(into, (size_t)got);
    if (result == 0 && credential_is_fresh(credential, now_ms) &&
        (!credential->endpoint || strcmp(credential->endpoint, cache->endpoint) == 0))
        return 0;
    credential_free(credential);
    return -1;
}

static int write_text(const struct credential_cache *cache, const struct buf *text, struct err *err)
{
    char path[PATH_MAX], temporary[PATH_MAX];
    AUTO_CLOSE int fd = -1;
    int sys;

    if (path_of(cache, CREDENTIALS_FILE, path) < 0 || path_of(cache, TEMPORARY_FILE, temporary) < 0)
        return err_set_sys(err, ENAMETOOLONG, "keep the credential in %s", cache->directory);
    unlink(temporary);
    fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd >= 0 && file_write_all(fd, text->data, text->len) == 0 && rename(temporary, path) == 0)
        return 0;
    sys = errno;
    if (fd >= 0)
        unlink(temporary);
    return err_set_sys(err, sys, "keep the credential in %s", path);
}

int credential_cache_write(const struct credential_cache *cache, const char *answer, size_t len,
                           struct err *err)
{
    AUTO_SECRET_JSON cJSON *object = cache->lock_fd >= 0 ? json_parse(answer, len, NULL) : NULL;
    struct buf text = BUF_INIT(FILE_MAX);
    int result = 0;

    if (!object)
        return 0;
    cJSON_DeleteItemFromObjectCaseSensitive(object, "endpoint");
    json_add_string(object, "endpoint", cache->endpoint);
    json_print(object, &text);
    if (!buf_failed(&text))
        result = write_text(cache, &text, err);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_free(&text);
    return result;
}

static void remove_file(const char *directory, const char *name)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/%s", directory, name) < (int)sizeof path)
        unlink(path);
}

void credential_cache_remove(const char *directory)
{
    remove_file(directory, CREDENTIALS_FILE);
    remove_file(directory, TEMPORARY_FILE);
}

void credential_cache_reject(struct credential_cache *cache, const char *password)
{
    AUTO_CREDENTIAL struct credential cached = {0};

    if (cache->lock_fd >= 0 && credential_cache_read(cache, 0, &cached) == 0 &&
        strcmp(cached.password, password) == 0)
        credential_cache_remove(cache->directory);
}

/* ---- the lock ---- */

static void on_alarm(int number)
{
    (void)number;
}

/* A signal ends the wait. It comes again, in case that one is delivered just before the wait. */
static void arm(unsigned limit_ms, struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval limit = {
        .it_value = {limit_ms / MS_PER_S, (suseconds_t)(limit_ms % MS_PER_S) * US_PER_MS},
        .it_interval = {1, 0},
    };

    sigaction(SIGALRM, &action, before);
    setitimer(ITIMER_REAL, &limit, NULL);
}

static void disarm(const struct sigaction *before)
{
    struct itimerval none = {0};

    setitimer(ITIMER_REAL, &none, NULL);
    sigaction(SIGALRM, before, NULL);
}

bool credential_cache_lock(struct credential_cache *cache, unsigned limit_ms)
{
    struct sigaction before;

    if (cache->lock_fd < 0)
        return false;
    if (flock(cache->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return cache->locked = true;
    arm(limit_ms, &before);
    cache->locked = flock(cache->lock_fd, LOCK_EX) == 0;
    disarm(&before);
    return cache->locked;
}

void credential_cache_unlock(struct credential_cache *cache)
{
    if (cache->locked)
        flock(cache->lock_fd, LOCK_UN);
    cache->locked = false;
}

/* ---- failures ---- */

void credential_cache_note_failure(struct credential_cache *cache, uint64_t now_ms,
                                   const struct err *failure)
{
    AUTO_JSON cJSON *note = NULL;
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);

    if (!cache->locked)
        return;
    note = cJSON_CreateObject();
    json_add_string(note, "endpoint", cache->endpoint);
    json_add_number(note, "failed_at_ms", (double)now_ms);
    json_add_string(note, "error_class", err_class_name(failure->class));
    json_add_string(note, "error", failure->text);
    json_print(note, &text);
    if (ftruncate(cache->lock_fd, 0) == 0 && pwrite(cache->lock_fd, text.data, text.len, 0) < 0 &&
        ftruncate(cache->lock_fd, 0) != 0)
        return; /* a note that cannot be made is missed by nobody */
}

bool credential_cache_failed_since(struct credential_cache *cache, uint64_t since_ms,
                                   struct err *failure)
{
    AUTO_JSON cJSON *note = NULL;
    AUTO_BUF struct buf text = BUF_INIT(FILE_MAX);
    char *into = buf_reserve(&text, FILE_MAX);
    const char *endpoint;
    double failed_at = 0;
    ssize_t got;

    if (!cache->locked || !into)
        return false;
    got = pread(cache->lock_fd, into, FILE_MAX, 0);
    if (got <= 0)
        return false;
    note = json_parse(into, (size_t)got, NULL);
    endpoint = json_get_string(note, "endpoint");
    if (!json_get_number(note, "failed_at_ms", &failed_at) || failed_at < (double)since_ms ||
        !endpoint || strcmp(endpoint, cache->endpoint) != 0 || !json_get_string(note, "error") ||
        !json_get_string(note, "error_class"))
        return false;
    err_set(failure, err_class_parse(json_get_string(note, "error_class")), "%s",
            json_get_string(note, "error"));
    return true;
}
