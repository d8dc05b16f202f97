/* A pack that is indexed while it is received: git index-pack is the judge, whatever the sizes it comes in. */
#include "git/pack_indexer.h"

#include "common/cleanup.h"
#include "common/file.h"
#include "git/auto_git2.h"
#include "git/library.h"
#include "tests/unit/check.h"
#include "tests/unit/diff_fixture.h"

#include <pthread.h>

#define PACK_MAX ((size_t)16 * 1024 * 1024)

static struct diff_fixture fixture;
static struct buf pack = BUF_INIT(PACK_MAX);

/* What the callback sees. */
struct seen {
    pthread_t caller;
    unsigned strangers, objects, deltas;
};

static int on_progress(const git_indexer_progress *stats, void *user)
{
    struct seen *seen = user;

    seen->strangers += !pthread_equal(pthread_self(), seen->caller);
    seen->objects = stats->indexed_objects;
    seen->deltas = stats->indexed_deltas;
    return 0;
}

/* Deltas, and a file that does not fit into the ring. */
static void make_pack(void)
{
    char path[128];

    diff_begin(&fixture);
    diff_shell(&fixture,
               "for f in $(seq 300); do seq $f $((f + 200 + f %% 7)) >$f; done;"
               "awk 'BEGIN { srand(1); for (i = 0; i < 400000; i++) print rand() * 1e9 }' >large;"
               "git add .; git commit -qm many;"
               "git rev-list --objects HEAD | git pack-objects -q --stdout >../pack;"
               "cd ..; git index-pack -o theirs.idx pack");
    snprintf(path, sizeof path, "%s/pack", fixture.root);
    CHECK(file_read(path, &pack, NULL) == 0);
    CHECK(pack.len > PACK_INDEXER_BYTES);
}

/* Writes the first `len` bytes of the pack, `chunk` at a time, into a new repository "out". */
static int write_pack(size_t len, size_t chunk, bool commits, struct seen *seen)
{
    AUTO_GIT(repository) git_repository *repository = NULL;
    AUTO_GIT(odb) git_odb *odb = NULL;
    git_odb_writepack *writer = NULL;
    git_indexer_progress stats = {0};
    char path[128];
    int code;

    *seen = (struct seen){.caller = pthread_self()};
    diff_shell(&fixture, "rm -rf ../out");
    snprintf(path, sizeof path, "%s/out", fixture.root);
    CHECK(library_init(path, "main", &repository, NULL) == 0);
    CHECK(pack_indexer_use(repository) == 0);
    CHECK(git_repository_odb(&odb, repository) == 0);
    code = git_odb_write_pack(&writer, odb, on_progress, seen);
    for (size_t at = 0; code == 0 && at < len; at += chunk)
        code = writer->append(writer, pack.data + at, at + chunk < len ? chunk : len - at, &stats);
    if (code == 0 && commits)
        code = writer->commit(writer, &stats);
    if (writer)
        writer->free(writer);
    return code;
}

static const char *shown(struct buf *out, const char *commands)
{
    diff_capture(&fixture, out, (const char *const[]){"sh", "-c", commands, NULL});
    return buf_text(out);
}

static void test_whole(struct buf *out)
{
    static const size_t chunks[] = {PACK_MAX, 65515, 1000, 7};
    struct seen seen;

    TEST("the index is git's, in whatever pieces the pack comes") {
        for (size_t i = 0; i < ARRAY_LENGTH(chunks); i++) {
            CHECK_INT(write_pack(pack.len, chunks[i], true, &seen), 0);
            CHECK_STR(shown(out, "cd ..; cmp out/.git/objects/pack/*.idx theirs.idx;"
                                 "cmp out/.git/objects/pack/*.pack pack"),
                      "");
        }
    }
    TEST("progress is told to the end, and only in the caller's thread") {
        CHECK_INT(seen.strangers, 0);
        CHECK_INT(seen.objects, 303);
        CHECK(seen.deltas > 0);
    }
}

static void test_failures(struct buf *out)
{
    struct seen seen;

    TEST("what fails in the thread is the caller's error, with libgit2's words") {
        pack.data[pack.len / 2] ^= 1;
        CHECK_INT(write_pack(pack.len, 65515, true, &seen), -1);
        CHECK(git_error_last() != NULL && git_error_last()->klass != GIT_ERROR_NONE);
        pack.data[pack.len / 2] ^= 1;
    }
    TEST("a pack that ends early is an error") {
        CHECK_INT(write_pack(pack.len - 100000, 65515, true, &seen), -1);
        CHECK_STR(git_error_last()->message, "missing trailer at the end of the pack");
    }
    TEST("a pack that is given up leaves nothing") {
        CHECK_INT(write_pack(pack.len / 2, 65515, false, &seen), 0);
        CHECK_STR(shown(out, "ls ../out/.git/objects/pack"), "");
    }
}

int main(void)
{
    struct buf out = BUF_INIT(DIFF_OUTPUT_MAX);

    if (library_start(NULL) != 0)
        return 1;
    diff_fixture_init(&fixture);
    make_pack();
    test_whole(&out);
    test_failures(&out);
    buf_free(&out);
    buf_free(&pack);
    diff_fixture_end(&fixture);
    library_stop();
    return check_done();
}
