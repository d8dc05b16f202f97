/* Where git is told to find oi-git-sign (B-109, B-916). */
#include "bridge/identity/signer_path.h"

#include "common/file.h"
#include "tests/unit/check.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static char found[PATH_MAX];

static int prepare(const char *bin, const char *temp)
{
    struct err err;

    return signer_path_prepare(bin, temp, found, sizeof found, &err);
}

static const char *below(const char *root, const char *name)
{
    static char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void test_places(const char *root)
{
    char bin[PATH_MAX / 2], temp[PATH_MAX / 2];

    snprintf(bin, sizeof bin, "%s/bin", root);
    snprintf(temp, sizeof temp, "%s/temp", root);
    mkdir(bin, 0755);
    mkdir(temp, 0755);
    TEST("it is made in the directory of OPENINSPECT_BIN_INSTALL_DIR, and leads to this program") {
        char target[PATH_MAX] = "", self[PATH_MAX] = "";

        CHECK_INT(prepare(bin, temp), 0);
        CHECK_STR(found, below(bin, SIGNER_NAME));
        CHECK(readlink(found, target, sizeof target - 1) > 0);
        CHECK(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
        CHECK_STR(target, self);
    }
    TEST("what is there is used and left alone") {
        CHECK_INT(prepare(bin, temp), 0);
        CHECK_STR(found, below(bin, SIGNER_NAME));
    }
    TEST("a directory that is not there is passed over") {
        CHECK_INT(prepare(below(root, "absent"), temp), 0);
        CHECK(strstr(found, root) == NULL); /* beside this test program */
        unlink(found);
    }
}

/* As a user who may write only below `temp`. */
static void test_read_only(const char *root)
{
    char temp[PATH_MAX / 2];

    snprintf(temp, sizeof temp, "%s/temp", root);
    TEST("with nothing else writable, it is made in a directory that nobody else may write to") {
        struct stat status;
        char directory[PATH_MAX];

        CHECK_INT(prepare("/proc", temp), 0);
        snprintf(directory, sizeof directory, "%s/oi-bin", temp);
        CHECK_STR(found, below(directory, SIGNER_NAME));
        CHECK_INT(stat(directory, &status), 0);
        CHECK_INT(status.st_mode & 0777, 0700);
        unlink(found);
    }
    TEST("a directory that others may write to is not trusted, and the failure says what to do") {
        struct err err;
        char directory[PATH_MAX];

        snprintf(directory, sizeof directory, "%s/oi-bin", temp);
        chmod(directory, 0777);
        CHECK_INT(signer_path_prepare("/proc", temp, found, sizeof found, &err), -1);
        CHECK(strstr(err.text, "OPENINSPECT_BIN_INSTALL_DIR") != NULL);
    }
}

int main(void)
{
    char root[] = "/tmp/oi-signer-path-XXXXXX";

    if (!mkdtemp(root))
        return 1;
    test_places(root);
    if (geteuid() == 0) {
        chown(below(root, "temp"), 65534, 65534);
        chmod(root, 0755);
        if (setegid(65534) != 0 || seteuid(65534) != 0)
            return 1;
        /* Or /proc/self would not be ours to read. */
        prctl(PR_SET_DUMPABLE, 1);
        test_read_only(root);
        if (seteuid(0) != 0 || setegid(0) != 0)
            return 1;
    } else {
        printf("skipped: a user who may not write beside this program needs root\n");
    }
    file_remove_tree(root, NULL);
    return check_done();
}
