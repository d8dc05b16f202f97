/* The first checkout by threads: git's own clone is the judge, and no tree leads out of the work tree. */
#include "common/cleanup.h"
#include "git/auto_git2.h"
#include "git/checkout_threads.h"
#include "git/clone.h"
#include "git/library.h"
#include "git/remote.h"
#include "tests/unit/check.h"
#include "tests/unit/git_fixture.h"

enum { TREE_MAX = 512 };

static struct git_fixture fixture;

/* A tree as raw bytes, so that it may hold what git refuses to make. */
struct raw_tree {
    unsigned char bytes[TREE_MAX];
    size_t len;
};

static void add_entry(struct raw_tree *tree, const char *mode_and_name, const git_oid *id)
{
    size_t len = strlen(mode_and_name) + 1;

    memcpy(tree->bytes + tree->len, mode_and_name, len);
    memcpy(tree->bytes + tree->len + len, id->id, sizeof id->id);
    tree->len += len + sizeof id->id;
}

static git_oid store(git_odb *odb, const void *data, size_t len, git_object_t type)
{
    git_oid id;

    CHECK(git_odb_write(&id, odb, data, len, type) == 0);
    return id;
}

/* Makes workspace/raw with no file, and its objects. */
static git_repository *make_repository(git_odb **odb)
{
    git_repository *repository = NULL;
    char path[128];

    git_shell(&fixture, "rm -rf workspace/raw outside; mkdir -p workspace/raw outside");
    snprintf(path, sizeof path, "%s/workspace/raw", fixture.root);
    CHECK(library_init(path, "main", &repository, NULL) == 0);
    CHECK(git_repository_odb(odb, repository) == 0);
    return repository;
}

/* Checks a commit with this tree out; whether threads did it. */
static bool checkout_tree(git_repository *repository, git_odb *odb, const struct raw_tree *tree)
{
    struct remote remote = {.access = &fixture.access, .repository = repository};
    git_oid id = store(odb, tree->bytes, tree->len, GIT_OBJECT_TREE);
    git_commit *commit = NULL;
    char text[256];
    bool done;
    int len = snprintf(text, sizeof text,
                       "tree %s\nauthor A <a@b> 1700000000 +0000\n"
                       "committer A <a@b> 1700000000 +0000\n\nmessage\n",
                       git_oid_tostr_s(&id));

    id = store(odb, text, (size_t)len, GIT_OBJECT_COMMIT);
    CHECK(git_commit_lookup(&commit, repository, &id) == 0);
    done = checkout_by_threads(&remote, commit);
    git_commit_free(commit);
    return done;
}

/* A tree of one entry, and perhaps a second one, each with a blob or a tree "file" with the blob. */
static bool checkout_entries(const char *first, const char *second)
{
    git_odb *odb = NULL;
    git_repository *repository = make_repository(&odb);
    git_oid blob = store(odb, "../../outside", strlen("../../outside"), GIT_OBJECT_BLOB), folder;
    struct raw_tree tree = {.len = 0}, inner = {.len = 0};
    bool done;

    add_entry(&inner, "100644 file", &blob);
    folder = store(odb, inner.bytes, inner.len, GIT_OBJECT_TREE);
    add_entry(&tree, first, first[0] == '4' ? &folder : &blob);
    if (second)
        add_entry(&tree, second, second[0] == '4' ? &folder : &blob);
    done = checkout_tree(repository, odb, &tree);
    git_odb_free(odb);
    git_repository_free(repository);
    return done;
}

static void test_trees(void)
{
    TEST("files, programs and links of a plain tree are written") {
        CHECK(checkout_entries("100644 plain", "100755 run.sh"));
        CHECK(checkout_entries("120000 a-link", "40000 folder"));
        CHECK_STR(git_output(&fixture, "cd workspace/raw; readlink a-link; cat folder/file"),
                  "../../outside\n../../outside");
    }
    TEST("a tree that names what is above it, or .git, is not written") {
        static const char *const entries[] = {"40000 ..",
                                              "40000 .git",
                                              "40000 .",
                                              "100644 ..",
                                              "100644 .git",
                                              "40000 .GIT",
                                              "100644 ../outside/x",
                                              "100644 git~1",
                                              "120000 .gitmodules",
                                              "40000 ../outside/x",
                                              "100644 a/../../x",
                                              "100644 "};

        for (size_t i = 0; i < ARRAY_LENGTH(entries); i++)
            CHECK_STR(checkout_entries(entries[i], NULL) ? entries[i] : "", "");
        CHECK_STR(
            git_output(&fixture, "find outside -mindepth 1; ls workspace/x workspace/file 2>&-"),
            "");
    }
    TEST("a link and a folder of one name do not lead out of the work tree") {
        CHECK(!checkout_entries("120000 same", "40000 same"));
        CHECK(!checkout_entries("40000 same", "120000 same"));
        CHECK_STR(git_output(&fixture, "find outside -mindepth 1"), "");
    }
    TEST("where links are no links, this is libgit2's to do") {
        git_shell(&fixture, "printf '[core]\\n\\tsymlinks = false\\n' >home/.gitconfig");
        CHECK(!checkout_entries("120000 a-link", NULL));
        git_shell(&fixture, "rm home/.gitconfig");
    }
}

/* 1,500 files of which many are deltas, all kinds of entries, one file above the limit of memory. */
static void make_everything(void)
{
    git_shell(&fixture,
              "cd source; git checkout -q main; for d in $(seq 50); do mkdir -p many/$d/in;"
              "for f in $(seq 30); do seq $f $((f + 300 + d)) >many/$d/in/$f.txt; done; done;"
              "cp many/1/in/1.txt 'many/a name with \"quotes\" and é'; chmod +x many/2/in/2.txt;"
              "ln -s ../nowhere many/dangling; : >many/empty;"
              "head -c 34000000 /dev/zero >many/large; head -c 9000000 /dev/zero >many/larger;"
              "git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),many/module;"
              "git add -A many; git update-index --add --cacheinfo "
              "160000,$(git rev-parse HEAD),many/module;"
              "git commit -qm many; git push -q origin main");
}

int main(void)
{
    git_fixture_init(&fixture);
    test_trees();
    make_everything();
    TEST("a clone of everything there is has git's files, modes, links and index") {
        struct branch_choice branch = {.wanted = "main"};

        CHECK(clone_repository(&fixture.access, fixture.checkout, &branch, NULL) == 0);
        CHECK_STR(
            git_output(&fixture,
                       "git clone -q --branch main repositories/acme/app.git theirs 2>&1;"
                       "diff -r --no-dereference --exclude=.git theirs workspace/app;"
                       "list() { cd $1; find . -path ./.git -prune -o -printf '%%m %%y %%l %%p\\n'"
                       " | sort; git ls-files -s; cd - >/dev/null; };"
                       "list theirs >theirs.list; list workspace/app >ours.list;"
                       "cmp theirs.list ours.list; grep -c many/ ours.list"),
            "3112");
        CHECK_STR(git_output(&fixture, "cd workspace/app; git diff-files; git status --porcelain;"
                                       "git fsck --strict 2>&1"),
                  "");
    }
    library_stop();
    TEST("the git server ends well") {
        CHECK_INT(git_fixture_end(&fixture), 0);
    }
    return check_done();
}
