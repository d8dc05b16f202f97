#include "git/diff_exclusions.h"
#include "git/diff_renames.h"
#include "git/quoted_path.h"

#include "tests/unit/check.h"

#include <stdlib.h>

#define TEXT_MAX ((size_t)64 * 1024)

static void test_exclusions(void)
{
    struct buf paths = BUF_INIT(TEXT_MAX);

    TEST("only what stands between the marks and begins with a slash is the runtime's (B-1015)") {
        diff_exclusions_parse("/before\n# BEGIN Open-Inspect runtime assets\n/.opencode/tool/a.js\n"
                              "/folder/\nrelative\n# comment\n/\n"
                              "# END Open-Inspect runtime assets\n/after",
                              &paths);
        CHECK(diff_exclusions_cover(&paths, ".opencode/tool/a.js"));
        CHECK(diff_exclusions_cover(&paths, "folder/x"));
        CHECK(diff_exclusions_cover(&paths, "folder"));
        CHECK(!diff_exclusions_cover(&paths, "folder2"));
        CHECK(!diff_exclusions_cover(&paths, ".opencode/tool/a.jsx"));
        CHECK(!diff_exclusions_cover(&paths, "before"));
        CHECK(!diff_exclusions_cover(&paths, "relative"));
        CHECK(!diff_exclusions_cover(&paths, "after"));
    }
    TEST("a file without marks covers nothing") {
        buf_reset(&paths);
        diff_exclusions_parse("/a\n/b", &paths);
        CHECK(!diff_exclusions_cover(&paths, "a"));
    }
    buf_free(&paths);
}

static void test_quotes(void)
{
    struct buf out = BUF_INIT(TEXT_MAX);

    TEST("a path is quoted when a byte needs it, with its prefix inside the quotes") {
        quoted_path_print("a/", "plain name", true, &out);
        CHECK_STR(buf_text(&out), "a/plain name");
        buf_reset(&out);
        quoted_path_print("a/", "q\"\\\a\x1b\xc3", true, &out);
        CHECK_STR(buf_text(&out), "\"a/q\\\"\\\\\\a\\033\\303\"");
        buf_reset(&out);
        quoted_path_print("", "\xc3", false, &out);
        CHECK_STR(buf_text(&out), "\xc3");
    }
    buf_free(&out);
}

static unsigned score(const char *a, const char *b)
{
    struct similarity left, right;
    unsigned result;

    similarity_measure(a, strlen(a), true, &left);
    similarity_measure(b, strlen(b), true, &right);
    result = similarity_score(&left, &right, 0);
    similarity_clear(&left);
    similarity_clear(&right);
    return result;
}

static void test_similarity(void)
{
    TEST("the score is the share of the larger file's bytes that both have, in any order") {
        CHECK_INT(score("a\nb\nc\n", "c\na\nb\n"), SIMILARITY_MAX);
        CHECK_INT(score("a\nb\n", "a\nx\n"), SIMILARITY_MAX / 2);
        CHECK_INT(score("a\n", "a\na\na\na\n"), SIMILARITY_MAX / 4);
        CHECK_INT(score("", ""), 0);
        CHECK_INT(score("x\n", ""), 0);
        CHECK_INT(score("end", "end"), SIMILARITY_MAX);
    }
}

/* Contents by key, for the reader. */
static const char *const *contents;
static size_t reads;

static int read_content(void *user, size_t key, struct similarity *out)
{
    (void)user;
    reads++;
    return similarity_measure(contents[key], strlen(contents[key]), true, out);
}

static void test_reader(void)
{
    static const char *const files[] = {"1\n2\n3\n4\n", "5\n6\n7\n8\n", "1\n2\n3\nx\n"};
    struct rename_candidate sources[] = {{.path = "a", .mode = 0100644, .id = "a", .key = 0},
                                         {.path = "b", .mode = 0100644, .id = "b", .key = 1}};
    struct rename_candidate target = {.path = "c", .mode = 0100644, .id = "c", .key = 2};

    contents = files;
    TEST("each content is asked for once, and the most similar source is taken") {
        CHECK_INT(renames_find(sources, 2, &target, 1, RENAMES_LIMIT, read_content, NULL), 0);
        CHECK_INT(target.source, 0);
        CHECK_INT(target.score, SIMILARITY_MAX * 3 / 4);
        CHECK_INT(reads, 3);
        CHECK(sources[0].used && !sources[1].used);
    }
    TEST("past the limit no content is asked for") {
        reads = 0;
        sources[0].used = false;
        CHECK_INT(renames_find(sources, 2, &target, 1, 1, read_content, NULL), 0);
        CHECK(target.source == RENAMES_NONE);
        CHECK_INT(reads, 0);
    }
}

int main(void)
{
    test_exclusions();
    test_quotes();
    test_similarity();
    test_reader();
    return check_done();
}
