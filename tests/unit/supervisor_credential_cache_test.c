#include "supervisor/credentials/credential_cache.h"
#include "tests/unit/check.h"

#include "common/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW_MS 1000000
#define HERE "https://cp.example/sessions/s1/scm-credentials"
#define THERE "https://cp.example/sessions/s2/scm-credentials"
#define ANSWER \
    "{\"username\":\"u\",\"password\":\"p\",\"expires_at_epoch_ms\":2000000,\"scm\":\"github\"}"

static char directory[PATH_MAX];
static char file[PATH_MAX];
static struct credential_cache cache;

static const char *cached(const char *endpoint, uint64_t now_ms)
{
    static char password[64];
    struct credential_cache other;
    struct credential credential;

    snprintf(password, sizeof password, "nothing");
    CHECK_INT(credential_cache_open(&other, directory, endpoint, NULL), 0);
    if (credential_cache_read(&other, now_ms, &credential) == 0) {
        snprintf(password, sizeof password, "%s", credential.password);
        credential_free(&credential);
    }
    credential_cache_close(&other);
    return password;
}

static void put_file(const char *text, mode_t mode)
{
    unlink(file);
    CHECK_INT(file_write_atomic(file, text, strlen(text), mode, false, NULL), 0);
    CHECK_INT(chmod(file, mode), 0);
}

static unsigned mode_of(const char *path)
{
    struct stat st = {0};

    lstat(path, &st);
    return st.st_mode & 0777;
}

static void test_file(void)
{
    TEST("what was written is read again, by the same session, while it is fresh") {
        CHECK_INT(credential_cache_write(&cache, ANSWER, strlen(ANSWER), NULL), 0);
        CHECK_STR(cached(HERE, NOW_MS), "p");
        CHECK_STR(cached(HERE, 2000000 - CREDENTIAL_SPARE_MS), "nothing");
        CHECK_STR(cached(THERE, NOW_MS), "nothing");
    }
    TEST("file and directory are the user's alone (S-234, S-239)") {
        CHECK_INT(mode_of(file), 0600);
        CHECK_INT(mode_of(directory), 0700);
    }
    TEST("a cache that another helper wrote is good; one that others could read or write is not") {
        put_file(ANSWER, 0600);
        CHECK_STR(cached(HERE, NOW_MS), "p");
        put_file(ANSWER, 0644);
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
        put_file("{\"username\":", 0600);
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
        put_file("", 0600);
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
        unlink(file);
        CHECK_INT(symlink("/etc/passwd", file), 0);
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
    }
    TEST("the password that the host refused is forgotten, another is kept") {
        CHECK_INT(credential_cache_write(&cache, ANSWER, strlen(ANSWER), NULL), 0);
        credential_cache_reject(&cache, "another");
        CHECK_STR(cached(HERE, NOW_MS), "p");
        credential_cache_reject(&cache, "p");
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
    }
    TEST("removing it twice is fine") {
        CHECK_INT(credential_cache_write(&cache, ANSWER, strlen(ANSWER), NULL), 0);
        credential_cache_remove(directory);
        credential_cache_remove(directory);
        CHECK_STR(cached(HERE, NOW_MS), "nothing");
    }
}

/* A process that holds the lock until it is killed. */
static pid_t hold_lock(void)
{
    int ends[2];
    char ready;
    pid_t pid;

    if (pipe(ends) != 0 || (pid = fork()) < 0)
        return -1;
    if (pid == 0) {
        struct credential_cache own;

        if (credential_cache_open(&own, directory, HERE, NULL) == 0 &&
            credential_cache_lock(&own, 1000) && write(ends[1], "", 1) == 1)
            pause();
        kill(getpid(), SIGKILL);
    }
    close(ends[1]);
    CHECK_INT(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void test_lock(void)
{
    struct err failure = {.class = ERR_NETWORK, .text = "HTTP 502: try later"};
    struct err seen;
    pid_t holder;

    TEST("the wait for the lock ends after its limit, and when the holder dies (S-240)") {
        holder = hold_lock();
        CHECK(!credential_cache_lock(&cache, 50));
        end(holder);
        CHECK(credential_cache_lock(&cache, 1000));
        credential_cache_unlock(&cache);
    }
    TEST("a failure is shared by those who waited for it, in words and class") {
        CHECK(credential_cache_lock(&cache, 1000));
        credential_cache_note_failure(&cache, 500, &failure);
        CHECK(credential_cache_failed_since(&cache, 400, &seen));
        CHECK_STR(seen.text, failure.text);
        CHECK_INT(seen.class, ERR_NETWORK);
        CHECK(!credential_cache_failed_since(&cache, 501, &seen));
        cache.endpoint = THERE;
        CHECK(!credential_cache_failed_since(&cache, 400, &seen));
        cache.endpoint = HERE;
        credential_cache_unlock(&cache);
    }
}

static void test_disk(void)
{
    char disk[] = "./credential-cache-XXXXXX";
    char chosen[PATH_MAX], inside[PATH_MAX];
    struct credential_cache on_disk;
    struct stat st;
    struct err err;

    CHECK(mkdtemp(disk));
    snprintf(inside, sizeof inside, "%s/oi", disk);
    TEST("a directory on a disk, which a snapshot keeps, is no cache, and nothing is made there "
         "(S-461)") {
        CHECK_INT(credential_cache_open(&on_disk, inside, HERE, &err), -1);
        CHECK(strstr(err.text, "disk") && strstr(err.text, inside));
        CHECK(lstat(inside, &st) != 0);
        CHECK_INT(credential_cache_write(&on_disk, ANSWER, strlen(ANSWER), NULL), 0);
        CHECK(!credential_cache_lock(&on_disk, 50));
    }
    TEST("in place of one on a disk a private one in memory is chosen; one in memory is taken as "
         "named") {
        setenv(CREDENTIAL_CACHE_VARIABLE, inside, 1);
        credential_cache_choose_directory("", chosen);
        CHECK(strcmp(chosen, "/run/oi") == 0 || strncmp(chosen, "/dev/shm/oi-", 12) == 0);
        setenv(CREDENTIAL_CACHE_VARIABLE, directory, 1);
        credential_cache_choose_directory("", chosen);
        CHECK_STR(chosen, directory);
        setenv(CREDENTIAL_CACHE_VARIABLE, "/dev/null/x", 1);
        credential_cache_choose_directory("", chosen);
        CHECK_STR(chosen, "/dev/null/x");
    }
    TEST("where there is no memory, the named one is chosen, which is then refused") {
        setenv(CREDENTIAL_CACHE_VARIABLE, inside, 1);
        credential_cache_choose_directory(disk, chosen);
        CHECK_STR(chosen, inside);
        unsetenv(CREDENTIAL_CACHE_VARIABLE);
        credential_cache_choose_directory(disk, chosen);
        CHECK(strstr(chosen, "/run/oi"));
        CHECK_INT(credential_cache_open(&on_disk, chosen, HERE, &err), -1);
    }
    file_remove_tree(disk, NULL);
}

int main(void)
{
    char base[] = "/dev/shm/credential-cache-XXXXXX"; /* a cache is only in memory */

    if (!mkdtemp(base))
        return 1;
    snprintf(directory, sizeof directory, "%s/oi", base);
    snprintf(file, sizeof file, "%s/oi/scm-creds.json", base);
    if (credential_cache_open(&cache, directory, HERE, NULL) != 0)
        return 1;
    test_file();
    test_lock();
    test_disk();
    credential_cache_close(&cache);
    TEST("a directory that cannot be made is an error that names it") {
        struct err err;

        snprintf(directory, sizeof directory, "%s/oi/scm-creds.lock/x", base);
        CHECK_INT(credential_cache_open(&cache, directory, HERE, &err), -1);
        CHECK(strstr(err.text, "scm-creds.lock") != NULL);
    }
    file_remove_tree(base, NULL);
    return check_done();
}
