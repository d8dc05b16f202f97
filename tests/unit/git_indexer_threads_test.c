/*
 * The index of a received pack, whose deltas libgit2 resolves in threads (deps/patches/libgit2), is byte
 * for byte that of git index-pack. Which delta is resolved first is chance: many indexers run at once
 * and take the processors from each other's threads.
 */
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/diff_fixture.h"

#include <pthread.h>

#define INDEXERS 12
#define ROUNDS 3
#define PACK_MAX ((size_t)16 * 1024 * 1024)

static struct diff_fixture fixture;
static struct buf pack = BUF_INIT(PACK_MAX);

struct indexer {
    pthread_t thread;
    char folder[128];
    int result;
};

/* Chains of deltas, where one is the base of the next: many files, each much like the others. */
static void make_pack(void)
{
    char path[128];

    diff_begin(&fixture);
    diff_shell(&fixture,
               "for f in $(seq 900); do seq $f $((f + 200 + f %% 7)) >$f; done; git add .; git "
               "commit -qm many;"
               "git rev-list --objects HEAD | git pack-objects -q --depth=45 --delta-base-offset "
               "--stdout >../pack");
    snprintf(path, sizeof path, "%s/pack", fixture.root);
    CHECK(file_read(path, &pack, NULL) == 0);
}

static void *index_pack(void *payload)
{
    struct indexer *indexer = payload;
    git_indexer_progress progress = {0};
    git_indexer *library = NULL;

    indexer->result = git_indexer_new(&library, indexer->folder, 0, NULL, NULL);
    if (indexer->result == 0)
        indexer->result = git_indexer_append(library, pack.data, pack.len, &progress);
    if (indexer->result == 0)
        indexer->result = git_indexer_commit(library, &progress);
    git_indexer_free(library);
    return NULL;
}

static void index_many_times(void)
{
    struct indexer indexers[INDEXERS] = {0};

    diff_shell(&fixture, "cd ..; rm -rf out; for i in $(seq %d); do mkdir -p out/$i; done",
               INDEXERS);
    for (int i = 0; i < INDEXERS; i++) {
        snprintf(indexers[i].folder, sizeof indexers[i].folder, "%s/out/%d", fixture.root, i + 1);
        if (pthread_create(&indexers[i].thread, NULL, index_pack, &indexers[i]) != 0)
            abort();
    }
    for (int i = 0; i < INDEXERS; i++) {
        pthread_join(indexers[i].thread, NULL);
        CHECK_INT(indexers[i].result, 0);
    }
}

int main(void)
{
    struct buf out = BUF_INIT(DIFF_OUTPUT_MAX);

    if (library_start(NULL) != 0)
        return 1;
    diff_fixture_init(&fixture);
    make_pack();
    TEST("the index is the one that git makes of the same pack, whichever delta comes first") {
        diff_shell(&fixture, "cd ..; git index-pack -o theirs.idx pack");
        for (int i = 0; i < ROUNDS; i++) {
            index_many_times();
            diff_capture(&fixture, &out,
                         (const char *const[]){
                             "sh", "-c",
                             "cd ..; for idx in out/*/*.idx; do cmp $idx theirs.idx; done", NULL});
            CHECK_STR(buf_text(&out), "");
        }
    }
    buf_free(&out);
    buf_free(&pack);
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
