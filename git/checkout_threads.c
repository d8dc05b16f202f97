#include "git/checkout_threads.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/checkout_files.h"
#include "git/remote.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

/* Two to four processors are what sandboxes have, and the disk is no faster for more. */
enum { THREADS_MAX = 4, STACK_BYTES = 1 << 20 };
/* Neighbours in a folder are one thread's, for creating a file locks its folder; but the last threads
 * must not wait long for each other. */
enum { SHARE_MAX = 32, SHARES_PER_THREAD = 16 };

struct checkout {
    struct checkout_files files;
    const char *objects; /* directory of the object database */
    struct remote *remote;
    size_t share;
    atomic_size_t next, done;
    atomic_bool failed;
    pthread_mutex_t lock; /* of in_memory */
    pthread_cond_t freed;
    uint64_t in_memory;
};

/* Waits until `size` bytes more may be in memory. */
static void take_memory(struct checkout *checkout, uint64_t size)
{
    pthread_mutex_lock(&checkout->lock);
    while (checkout->in_memory && checkout->in_memory + size > CHECKOUT_BYTES_AT_ONCE)
        pthread_cond_wait(&checkout->freed, &checkout->lock);
    checkout->in_memory += size;
    pthread_mutex_unlock(&checkout->lock);
}

static void give_memory(struct checkout *checkout, uint64_t size)
{
    pthread_mutex_lock(&checkout->lock);
    checkout->in_memory -= size;
    pthread_cond_broadcast(&checkout->freed);
    pthread_mutex_unlock(&checkout->lock);
}

static void set_stat(git_index_entry *entry, const struct stat *stat)
{
    entry->ctime.seconds = (int32_t)stat->st_ctim.tv_sec;
    entry->ctime.nanoseconds = (uint32_t)stat->st_ctim.tv_nsec;
    entry->mtime.seconds = (int32_t)stat->st_mtim.tv_sec;
    entry->mtime.nanoseconds = (uint32_t)stat->st_mtim.tv_nsec;
    entry->dev = (uint32_t)stat->st_dev;
    entry->ino = (uint32_t)stat->st_ino;
    entry->uid = stat->st_uid;
    entry->gid = stat->st_gid;
    entry->file_size = (uint32_t)stat->st_size;
}

/* Only ever makes what was not there: nothing can be led out of the work tree by a link. */
static bool write_file(int root, git_index_entry *entry, const void *data, size_t len)
{
    mode_t mode = entry->mode == GIT_FILEMODE_BLOB_EXECUTABLE ? 0777 : 0666;
    int fd = openat(root, entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    struct stat stat;
    bool written;

    if (fd < 0)
        return false;
    written = file_write_all(fd, data, len) == 0 && fstat(fd, &stat) == 0;
    if (close(fd) < 0 || !written)
        return false;
    set_stat(entry, &stat);
    return true;
}

static bool write_link(int root, git_index_entry *entry, const void *data, size_t len)
{
    AUTO_FREE char *target = strndup(data, len);
    struct stat stat;

    if (!target || symlinkat(target, root, entry->path) < 0 ||
        fstatat(root, entry->path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    set_stat(entry, &stat);
    return true;
}

static bool write_blob(struct checkout *checkout, git_odb *odb, git_index_entry *entry)
{
    AUTO_GIT(odb_object) git_odb_object *object = NULL;
    int root = checkout->files.root;

    if (git_odb_read(&object, odb, &entry->id) < 0 ||
        git_odb_object_type(object) != GIT_OBJECT_BLOB)
        return false;
    return (entry->mode == GIT_FILEMODE_LINK ? write_link : write_file)(
        root, entry, git_odb_object_data(object), git_odb_object_size(object));
}

static bool write_entry(struct checkout *checkout, git_odb *odb, git_index_entry *entry)
{
    git_object_t type;
    struct stat stat;
    size_t size;
    bool written;

    if (entry->mode == GIT_FILEMODE_COMMIT) { /* a submodule: its folder was made */
        if (fstatat(checkout->files.root, entry->path, &stat, AT_SYMLINK_NOFOLLOW) < 0)
            return false;
        set_stat(entry, &stat);
        return true;
    }
    if (git_odb_read_header(&size, &type, odb, &entry->id) < 0)
        return false;
    take_memory(checkout, size);
    written = write_blob(checkout, odb, entry);
    give_memory(checkout, size);
    return written;
}

/* Takes files until none is left. Only the caller's thread reports. */
static void write_files(struct checkout *checkout, bool reports)
{
    struct checkout_files *files = &checkout->files;
    git_odb *odb = NULL;
    size_t first;

    /* One each: libgit2 reads for one user of a database at a time. The packs under them are shared. */
    if (git_odb_open(&odb, checkout->objects) < 0)
        checkout->failed = true;
    while (!checkout->failed &&
           (first = atomic_fetch_add(&checkout->next, checkout->share)) < files->count) {
        size_t end =
            first + checkout->share < files->count ? first + checkout->share : files->count;

        for (size_t i = first; i < end && !checkout->failed; i++)
            if (!write_entry(checkout, odb, &files->entries[i]))
                checkout->failed = true;
        checkout->done += end - first;
        if (reports)
            remote_report(checkout->remote, &(struct git_progress){.phase = GIT_PHASE_CHECKOUT,
                                                                   .done = checkout->done,
                                                                   .total = files->count});
    }
    git_odb_free(odb);
}

static void *run_thread(void *user)
{
    write_files(user, false);
    return NULL;
}

static size_t count_processors(void)
{
    cpu_set_t processors;
    int count = 1;

    if (sched_getaffinity(0, sizeof processors, &processors) == 0)
        count = CPU_COUNT(&processors);
    return count > THREADS_MAX ? THREADS_MAX : (size_t)count;
}

static bool write_all(struct checkout *checkout)
{
    pthread_t threads[THREADS_MAX];
    size_t wanted = count_processors(), started = 0;
    pthread_attr_t attributes;

    if (wanted > checkout->files.count)
        wanted = checkout->files.count;
    checkout->share = checkout->files.count / (THREADS_MAX * SHARES_PER_THREAD) + 1;
    if (checkout->share > SHARE_MAX)
        checkout->share = SHARE_MAX;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* A sandbox may have reached its limit of processes: fewer threads do it too. */
    while (started + 1 < wanted &&
           pthread_create(&threads[started], &attributes, run_thread, checkout) == 0)
        started++;
    pthread_attr_destroy(&attributes);
    write_files(checkout, true);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    return !checkout->failed;
}

static bool write_index(git_repository *repository, const struct checkout_files *files)
{
    AUTO_GIT(index) git_index *index = NULL;
    bool written = git_repository_index(&index, repository) == 0;

    /* That the objects exist was seen when they were read. */
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 0);
    for (size_t i = 0; written && i < files->count; i++)
        written = git_index_add(index, &files->entries[i]) == 0;
    git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, 1);
    if (written && git_index_write(index) == 0)
        return true;
    if (index) /* what was added so far must not look like files of an older checkout */
        git_index_clear(index);
    return false;
}

/* A file system, or a configuration, under which a name or a link is not what it seems. */
static bool has_plain_files(git_repository *repository)
{
    AUTO_GIT(config) git_config *config = NULL;
    int links = 1, folds_case = 0;

    if (git_repository_config_snapshot(&config, repository) < 0)
        return false;
    git_config_get_bool(&links, config, "core.symlinks");
    git_config_get_bool(&folds_case, config, "core.ignorecase");
    return links && !folds_case;
}

bool checkout_by_threads(struct remote *remote, const git_commit *commit)
{
    git_repository *repository = remote->repository;
    AUTO_GIT_BUF git_buf objects = {0};
    AUTO_CLOSE int root = -1;
    struct checkout checkout = {
        .remote = remote, .lock = PTHREAD_MUTEX_INITIALIZER, .freed = PTHREAD_COND_INITIALIZER};
    bool done;

    if (!has_plain_files(repository) ||
        git_repository_item_path(&objects, repository, GIT_REPOSITORY_ITEM_OBJECTS) < 0)
        return false;
    root = open(git_repository_workdir(repository), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    checkout.objects = objects.ptr;
    done = root >= 0 && checkout_files_list(commit, root, &checkout.files) &&
           write_all(&checkout) && write_index(repository, &checkout.files);
    checkout_files_free(&checkout.files);
    return done;
}
