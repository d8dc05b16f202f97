/* The tunnel file as it comes, or does not, while somebody waits for it (S-414..S-417). */
#include "supervisor/boot/tunnel_wait.h"

#include "tests/unit/check.h"
#include "tests/unit/root_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#define SAID_MAX (16 * 1024)
#define PATIENCE_MS 60000
#define NEVER_MS 1000000
#define OURS "TUNNEL_SANDBOX_ID=sb1\nTUNNEL_3000=https://a.example\n"

/* One wait for port 3000, and what is said of it. */
struct stage {
    uv_loop_t loop;
    uv_timer_t patience;
    struct log *log;
    struct buf said;
    struct config config;
    struct tunnel_wait wait;
    int done;
    char id[8], workspace[PATH_MAX], path[PATH_MAX];
};

static bool keep(void *user, const char *line, size_t len, enum log_origin origin)
{
    (void)origin;
    buf_append(user, line, len);
    return true;
}

static void on_done(void *user)
{
    ((struct stage *)user)->done++;
}

static void on_patience_over(uv_timer_t *timer)
{
    (void)timer;
    printf("  the tunnel test waited too long\n");
    abort();
}

static void open_stage(struct stage *stage)
{
    *stage = (struct stage){.said = BUF_INIT(SAID_MAX)};
    snprintf(stage->id, sizeof stage->id, "sb1");
    snprintf(stage->workspace, PATH_MAX, "%s", in_root("workspace"));
    snprintf(stage->path, PATH_MAX, "%s", in_root("workspace/.tunnels.env"));
    file_remove_tree(stage->workspace, NULL);
    file_make_directories(stage->workspace, 0755, NULL);
    stage->config =
        (struct config){.boot_mode = BOOT_FRESH,
                        .sandbox_id = stage->id,
                        .tunnel_ports = {.ports = {3000}, .count = 1},
                        .paths = {.workspace = stage->workspace, .tunnels = stage->path}};
    stage->log = log_new(-1, "sandbox", "supervisor");
    log_set_sink(stage->log, keep, &stage->said);
    uv_loop_init(&stage->loop);
    uv_timer_init(&stage->loop, &stage->patience);
    uv_timer_start(&stage->patience, on_patience_over, PATIENCE_MS, 0);
    tunnel_wait_init(&stage->wait, &stage->loop, stage->log, &stage->config, on_done, stage);
}

static void close_stage(struct stage *stage)
{
    tunnel_wait_close(&stage->wait);
    uv_close((uv_handle_t *)&stage->patience, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&stage->loop), 0);
    log_free(stage->log);
    buf_free(&stage->said);
}

static void wait_for_end(struct stage *stage)
{
    while (!stage->done)
        uv_run(&stage->loop, UV_RUN_ONCE);
}

static bool was_said(const struct stage *stage, const char *text)
{
    return strstr(buf_text(&stage->said), text) != NULL;
}

static void test_wait(void)
{
    struct stage stage;

    TEST("S-416: a file that is there already is not waited for") {
        open_stage(&stage);
        put_file("workspace/.tunnels.env", OURS);
        tunnel_wait_start(&stage.wait, NEVER_MS);
        CHECK_INT(stage.done, 1);
        CHECK(was_said(&stage, "\"event\":\"tunnel.env_file_ready\""));
        CHECK(was_said(&stage, "/.tunnels.env\",\"ports\":[3000],\"wait_ms\":"));
        close_stage(&stage);
    }
    TEST("S-417: its coming is noticed by inotify, and that of another sandbox is none") {
        open_stage(&stage);
        tunnel_wait_start(&stage.wait, NEVER_MS);
        uv_timer_stop(&stage.wait.look_again);
        put_file("workspace/.tunnels.env", "TUNNEL_SANDBOX_ID=sb0\nTUNNEL_3000=x\n");
        while (!uv_is_active((uv_handle_t *)&stage.wait.look_again)) /* it has looked */
            uv_run(&stage.loop, UV_RUN_ONCE);
        CHECK_INT(stage.done, 0);
        uv_timer_stop(&stage.wait.look_again);
        put_file("workspace/.tunnels.env", OURS);
        wait_for_end(&stage);
        CHECK(was_said(&stage, "tunnel.env_file_ready"));
        close_stage(&stage);
    }
    TEST("S-417: where nothing tells of it, it is looked for every second") {
        open_stage(&stage);
        tunnel_wait_start(&stage.wait, NEVER_MS);
        CHECK(uv_timer_get_due_in(&stage.wait.look_again) <= 1000);
        uv_fs_event_stop(&stage.wait.watch);
        put_file("workspace/.tunnels.env", OURS);
        wait_for_end(&stage);
        CHECK(was_said(&stage, "tunnel.env_file_ready"));
        close_stage(&stage);
    }
    TEST(
        "S-416: what cannot be read is said, and the waiting goes on to its limit and no further") {
        open_stage(&stage);
        put_file("workspace/.tunnels.env/a-directory", "");
        tunnel_wait_start(&stage.wait, 1500);
        CHECK(was_said(&stage, "tunnel.env_file_read_failed"));
        stage.wait.started_ms -= 1400; /* as if it had waited so long */
        buf_reset(&stage.said);
        put_file("workspace/something", "");
        while (!was_said(&stage, "tunnel.env_file_read_failed"))
            uv_run(&stage.loop, UV_RUN_ONCE);
        CHECK(uv_timer_get_due_in(&stage.wait.look_again) <= 100);
        wait_for_end(&stage);
        CHECK(was_said(&stage, "\"event\":\"tunnel.env_file_wait_timeout\""));
        CHECK(was_said(&stage, "\"ports\":[3000],\"timeout_seconds\":1.5}"));
        close_stage(&stage);
    }
}

/* What is left of `text` in the file, or of a link, when a boot begins. */
static bool is_kept(const char *text, const char *link, enum boot_mode mode, const char *event)
{
    struct stage stage;
    struct stat st;
    bool kept;

    open_stage(&stage);
    stage.config.boot_mode = mode;
    stage.config.tunnel_ports.count = mode == BOOT_SNAPSHOT_RESTORE ? 0 : 1;
    if (link)
        CHECK_INT(symlink(link, stage.path), 0);
    else
        put_file("workspace/.tunnels.env", text);
    tunnel_wait_clear_stale(&stage.config, stage.log);
    kept = lstat(stage.path, &st) == 0;
    CHECK(was_said(&stage, event));
    close_stage(&stage);
    return kept;
}

static void test_stale_files(void)
{
    TEST("S-415: of the files of a boot before only that of this sandbox is kept") {
        CHECK(is_kept(OURS, NULL, BOOT_FRESH, "tunnel.fresh_file_kept"));
        CHECK(is_kept("A=1\n" OURS, NULL, BOOT_SNAPSHOT_RESTORE, "tunnel.fresh_file_kept"));
        CHECK(!is_kept("TUNNEL_SANDBOX_ID=sb\n", NULL, BOOT_FRESH, "tunnel.stale_file_cleared"));
        CHECK(!is_kept("", NULL, BOOT_SNAPSHOT_RESTORE, "tunnel.stale_file_cleared"));
        CHECK(!is_kept(NULL, "nowhere", BOOT_FRESH, "tunnel.stale_check_read_failed"));
    }
    TEST("S-415: when no port is expected, only a restored sandbox has a file to clear") {
        struct stage stage;

        open_stage(&stage);
        stage.config.tunnel_ports.count = 0;
        put_file("workspace/.tunnels.env", "TUNNEL_3000=https://old.example\n");
        tunnel_wait_clear_stale(&stage.config, stage.log);
        CHECK(file_exists(stage.path));
        CHECK_STR(buf_text(&stage.said), "");
        close_stage(&stage);
    }
}

int main(void)
{
    root_begin();
    test_wait();
    test_stale_files();
    root_end();
    return check_done();
}
