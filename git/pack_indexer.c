#include "git/pack_indexer.h"

#include "git/auto_git2.h"

#include <git2/sys/errors.h>
#include <git2/sys/odb_backend.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    STACK_BYTES = 256 * 1024,
    /* What is indexed at once; its room in the ring is free only then. */
    SHARE_BYTES = PACK_INDEXER_BYTES / 8,
    /* Above libgit2's packs and loose objects: the first who takes a pack gets it. */
    PRIORITY = 100,
};

/* Takes packs and knows no object: what was indexed belongs to libgit2's own backend. */
struct backend {
    git_odb_backend parent; /* first: libgit2 knows the backend by it */
    char *folder;           /* of the packs */
};

struct writer {
    git_odb_writepack parent; /* first, as above */
    git_indexer *indexer;
    git_indexer_progress_cb on_progress;
    void *user;

    pthread_t thread;
    bool has_thread;      /* it runs, or waits to be joined */
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t changed;
    uint64_t received, indexed; /* bytes; what lies between them is in the ring */
    bool is_whole, is_stopped;
    git_indexer_progress progress; /* of what is indexed */
    int failure, failure_class;
    char *failure_text; /* libgit2 keeps its errors by thread */
    unsigned char ring[PACK_INDEXER_BYTES];
};

/* How many bytes to take next, which lie together; 0 at the end, or when the pack is given up. */
static size_t wait_for_bytes(struct writer *writer)
{
    size_t len, at;

    pthread_mutex_lock(&writer->lock);
    while (writer->received == writer->indexed && !writer->is_whole && !writer->is_stopped)
        pthread_cond_wait(&writer->changed, &writer->lock);
    len = writer->is_stopped ? 0 : writer->received - writer->indexed;
    at = writer->indexed % PACK_INDEXER_BYTES;
    pthread_mutex_unlock(&writer->lock);
    if (len > SHARE_BYTES)
        len = SHARE_BYTES;
    return len < PACK_INDEXER_BYTES - at ? len : PACK_INDEXER_BYTES - at;
}

static void take_bytes(struct writer *writer, size_t len, const git_indexer_progress *progress)
{
    pthread_mutex_lock(&writer->lock);
    writer->indexed += len;
    writer->progress = *progress;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

static void fail(struct writer *writer, int code)
{
    const git_error *error = git_error_last();

    pthread_mutex_lock(&writer->lock);
    writer->failure = code;
    writer->failure_class = error ? error->klass : GIT_ERROR_INDEXER;
    writer->failure_text = error && error->message ? strdup(error->message) : NULL;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

static void *run_thread(void *user)
{
    struct writer *writer = user;
    git_indexer_progress progress = {0};
    size_t len;
    int code = 0;

    while (code == 0 && (len = wait_for_bytes(writer)) > 0) {
        code = git_indexer_append(
            writer->indexer, writer->ring + writer->indexed % PACK_INDEXER_BYTES, len, &progress);
        if (code == 0)
            take_bytes(writer, len, &progress);
        else
            fail(writer, code);
    }
    return NULL;
}

/* The thread's failure, as if it had happened in this one. With the lock held. */
static int pass_on_failure(struct writer *writer)
{
    if (writer->failure)
        git_error_set_str(writer->failure_class,
                          writer->failure_text ? writer->failure_text : "cannot index the pack");
    return writer->failure;
}

/* What the network counts is the caller's, the rest is the thread's. */
static void merge_progress(git_indexer_progress *stats, const git_indexer_progress *indexed)
{
    size_t received_bytes = stats->received_bytes;

    *stats = *indexed;
    stats->received_bytes = received_bytes;
}

/* Copies what there is room for, after there is some. Returns how much, or libgit2's code. */
static int put_bytes(struct writer *writer, const unsigned char *data, size_t size,
                     git_indexer_progress *stats)
{
    size_t room = 0, at;
    int code;

    pthread_mutex_lock(&writer->lock);
    while (!writer->failure &&
           (room = PACK_INDEXER_BYTES - (size_t)(writer->received - writer->indexed)) == 0)
        pthread_cond_wait(&writer->changed, &writer->lock);
    code = pass_on_failure(writer);
    at = writer->received % PACK_INDEXER_BYTES;
    if (size > room)
        size = room;
    if (size > PACK_INDEXER_BYTES - at)
        size = PACK_INDEXER_BYTES - at;
    if (code == 0) {
        memcpy(writer->ring + at, data, size);
        writer->received += size;
        merge_progress(stats, &writer->progress);
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return code < 0 ? code : (int)size;
}

static int on_append(git_odb_writepack *parent, const void *data, size_t size,
                     git_indexer_progress *stats)
{
    struct writer *writer = (struct writer *)parent;

    if (!writer->has_thread)
        return git_indexer_append(writer->indexer, data, size, stats);
    for (size_t done = 0; done < size;) {
        int put = put_bytes(writer, (const unsigned char *)data + done, size - done, stats);

        if (put < 0)
            return put;
        done += (size_t)put;
    }
    return writer->on_progress ? writer->on_progress(stats, writer->user) : 0;
}

/* With `is_whole` the thread ends when all is indexed, else at once. */
static void end_thread(struct writer *writer, bool is_whole)
{
    if (!writer->has_thread)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->is_whole = is_whole;
    writer->is_stopped = !is_whole;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer->has_thread = false;
}

static int on_commit(git_odb_writepack *parent, git_indexer_progress *stats)
{
    struct writer *writer = (struct writer *)parent;
    bool had_thread = writer->has_thread;
    int code;

    end_thread(writer, true);
    if ((code = pass_on_failure(writer)) != 0)
        return code;
    if (had_thread)
        merge_progress(stats, &writer->progress);
    return git_indexer_commit(writer->indexer, stats);
}

static void on_free(git_odb_writepack *parent)
{
    struct writer *writer = (struct writer *)parent;

    end_thread(writer, false);
    git_indexer_free(writer->indexer);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer->failure_text);
    free(writer);
}

/* The thread must not call back: on_append does it. */
static int on_indexed(const git_indexer_progress *stats, void *user)
{
    struct writer *writer = user;

    return writer->on_progress && !writer->has_thread ? writer->on_progress(stats, writer->user)
                                                      : 0;
}

static void start_thread(struct writer *writer)
{
    pthread_attr_t attributes;

    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    writer->has_thread = pthread_create(&writer->thread, &attributes, run_thread, writer) == 0;
    pthread_attr_destroy(&attributes);
}

static int on_write_pack(git_odb_writepack **out, git_odb_backend *parent, git_odb *odb,
                         git_indexer_progress_cb on_progress, void *user)
{
    struct backend *backend = (struct backend *)parent;
    struct writer *writer = calloc(1, sizeof *writer);
    git_indexer_options options;
    int code;

    if (!writer)
        return GIT_ERROR;
    writer->on_progress = on_progress;
    writer->user = user;
    git_indexer_options_init(&options, GIT_INDEXER_OPTIONS_VERSION);
    options.progress_cb = on_indexed;
    options.progress_cb_payload = writer;
    code = git_indexer_new(&writer->indexer, backend->folder, 0, odb, &options);
    if (code < 0) {
        free(writer);
        return code;
    }
    writer->parent = (git_odb_writepack){
        .backend = parent, .append = on_append, .commit = on_commit, .free = on_free};
    start_thread(writer);
    *out = &writer->parent;
    return 0;
}

static int on_each_object(git_odb_backend *backend, git_odb_foreach_cb on_object, void *user)
{
    (void)backend, (void)on_object, (void)user;
    return 0;
}

static void on_free_backend(git_odb_backend *parent)
{
    struct backend *backend = (struct backend *)parent;

    free(backend->folder);
    free(backend);
}

int pack_indexer_use(git_repository *repository)
{
    AUTO_GIT(odb) git_odb *odb = NULL;
    AUTO_GIT_BUF git_buf objects = {0};
    struct backend *backend = calloc(1, sizeof *backend);
    int code = GIT_ERROR;

    if (!backend)
        return code;
    git_odb_init_backend(&backend->parent, GIT_ODB_BACKEND_VERSION);
    backend->parent.writepack = on_write_pack;
    backend->parent.foreach = on_each_object; /* the one that libgit2 calls unasked */
    backend->parent.free = on_free_backend;
    code = git_repository_item_path(&objects, repository, GIT_REPOSITORY_ITEM_OBJECTS);
    if (code == 0 && asprintf(&backend->folder, "%s/pack", objects.ptr) < 0) {
        backend->folder = NULL;
        code = GIT_ERROR;
    }
    if (code == 0)
        code = git_repository_odb(&odb, repository);
    if (code == 0)
        code = git_odb_add_backend(odb, &backend->parent, PRIORITY);
    if (code < 0)
        on_free_backend(&backend->parent);
    return code;
}
