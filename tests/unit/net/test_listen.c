/* SPDX-License-Identifier: Apache-2.0 */
/* A Unix socket's name: modes, stale and live ones, foreign files, who may remove it. */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"
#include "net/listen.h"

static const char *const names[] = { "s", "s.lock", "s.new", NULL };

struct place {
	struct loop *loop;
	struct temp_dir dir;
	char path[96];
	int accepted;
	struct peer_cred peer;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->loop = loop_new();
	temp_dir_make(&p->dir);
	snprintf(p->path, sizeof(p->path), "%s/s", p->dir.path);
	p->accepted = -1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	loop_free(p->loop);
	temp_dir_remove(&p->dir, names);
	free(p);
	return 0;
}

static void on_accept(void *arg, int fd, const struct peer_cred *peer)
{
	struct place *p = arg;

	p->accepted = fd;
	p->peer = *peer;
}

static bool has_accepted(void *arg)
{
	return ((struct place *)arg)->accepted >= 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static struct listener *make(struct place *p, mode_t mode, struct error *err)
{
	const struct listener_params params = { .path = p->path, .mode = mode };

	return listener_new(p->loop, &params, err);
}

static void test_serves_with_its_mode_and_tells_the_peer(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct listener *ln = make(p, 0660, &err);
	int fd;

	assert_non_null(ln);
	assert_int_equal(mode_of(p->path), 0660);
	listener_start(ln, on_accept, p);
	fd = connect_to(p->path);
	assert_true(fd >= 0);
	assert_true(turn_until(p->loop, has_accepted, p, PATIENCE));
	assert_int_equal(p->peer.pid, getpid());
	assert_int_equal(p->peer.uid, getuid());
	assert_int_equal(fcntl(p->accepted, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(p->accepted, F_GETFL) & O_NONBLOCK);
	close(p->accepted);
	close(fd);
	listener_free(ln);
	assert_int_equal(access(p->path, F_OK), -1);
}

static void assert_refused(struct place *p, int os, const char *sentence)
{
	struct error err = ERROR_INIT;

	assert_null(make(p, 0600, &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_int_equal(err.os, os);
	assert_non_null(strstr(err.text, sentence));
	assert_non_null(strstr(err.text, p->path));
}

static void test_a_second_one_is_refused_and_the_first_goes_on(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct listener *ln = make(p, 0600, &err);
	int fd;

	assert_non_null(ln);
	listener_start(ln, on_accept, p);
	assert_refused(p, EADDRINUSE, "is served by another process");
	fd = connect_to(p->path);
	assert_true(turn_until(p->loop, has_accepted, p, PATIENCE));
	close(p->accepted);
	close(fd);
	listener_free(ln);
}

static int bind_by_hand(const char *path, bool listening)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	if (listening)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void test_a_dead_socket_is_replaced(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct listener *ln;

	close(bind_by_hand(p->path, true));
	ln = make(p, 0600, &err);
	assert_non_null(ln);
	listener_free(ln);
}

static void test_one_that_somebody_serves_stays(void **state)
{
	struct place *p = *state;
	int fd = bind_by_hand(p->path, true), client;

	assert_refused(p, EADDRINUSE, "is served by another process");
	client = connect_to(p->path);
	assert_true(client >= 0);
	close(client);
	close(fd);
}

static void test_a_foreign_file_stays(void **state)
{
	struct place *p = *state;
	int fd = open(p->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st;

	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
	assert_refused(p, 0, "exists and is no socket: it is left alone");
	assert_int_equal(lstat(p->path, &st), 0);
	assert_int_equal(st.st_size, 4);
}

static void test_a_link_is_not_followed(void **state)
{
	struct place *p = *state;
	char lock[112];

	assert_int_equal(symlink("/nowhere/at/all", p->path), 0);
	assert_refused(p, 0, "exists and is no socket");
	unlink(p->path);
	snprintf(lock, sizeof(lock), "%s.lock", p->path);
	unlink(lock);
	assert_int_equal(symlink("/nowhere/at/all", lock), 0);
	assert_refused(p, ELOOP, "open");
}

static void test_a_name_that_is_not_ours_any_more_stays(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct listener *ln = make(p, 0600, &err);
	int fd;

	assert_non_null(ln);
	unlink(p->path);
	fd = bind_by_hand(p->path, true);
	listener_free(ln);
	assert_int_equal(access(p->path, F_OK), 0);
	close(fd);
}

static void test_a_missing_directory_is_named(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;

	snprintf(p->path, sizeof(p->path), "/nonexistent-dir/s");
	assert_null(make(p, 0600, &err));
	assert_string_equal(err.text, "open /nonexistent-dir/s.lock: No such file or directory");
}

static void test_a_name_that_is_too_long(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;

	/* "/", digits, and ".new" behind: 107 bytes and a NUL are the most */
	for (int n = 103; n <= 110; n++) {
		mem_auto_str path = mem_printf("/%0*d", n, 0);
		const struct listener_params params = { .path = path, .mode = 0600 };

		assert_null(listener_new(p->loop, &params, &err));
		assert_non_null(strstr(err.text, "is too long for a Unix socket"));
	}
}

static void test_an_unknown_owner_leaves_no_name(void **state)
{
	struct place *p = *state;
	struct listener_params params = { .path = p->path, .mode = 0600, .owner = "no such user" };
	struct error err = ERROR_INIT;

	assert_null(listener_new(p->loop, &params, &err));
	assert_string_equal(err.text, "there is no user \"no such user\"");
	params.owner = NULL;
	params.group = "no such group";
	assert_null(listener_new(p->loop, &params, &err));
	assert_string_equal(err.text, "there is no group \"no such group\"");
	assert_int_equal(access(p->path, F_OK), -1);
}

struct watcher {
	char *path;
	mode_t allowed;
	uid_t owner;
	atomic_bool stop;
	unsigned seen, wrong;
};

/* Looks at both names again and again: is one of them ever open to more than it should be? */
static void *look_on(void *arg)
{
	struct watcher *w = arg;
	mem_auto_str temp = mem_printf("%s.new", w->path);

	while (!atomic_load(&w->stop)) {
		const char *name = w->seen % 2 ? w->path : temp;
		struct stat st;

		if (lstat(name, &st) < 0 && lstat(temp, &st) < 0)
			continue;
		w->seen++;
		if ((st.st_mode & 0777 & ~w->allowed) ||
		    (st.st_uid == w->owner && (st.st_mode & 0700 & ~w->allowed)))
			w->wrong++;
	}
	return NULL;
}

static void test_the_owner_and_group_and_never_a_wider_mode(void **state)
{
	struct place *p = *state;
	struct listener_params params = {
		.path = p->path, .mode = 0640, .owner = "65533", .group = "65532"
	};
	struct watcher w = { .path = p->path, .allowed = 0640, .owner = 65533 };
	struct error err = ERROR_INIT;
	struct stat st;
	pthread_t thread;
	mode_t old;

	if (geteuid() != 0)
		skip(); /* nobody else may give a file away */
	old = umask(0);
	assert_int_equal(pthread_create(&thread, NULL, look_on, &w), 0);
	for (int i = 0; i < 200; i++) {
		struct listener *ln = listener_new(p->loop, &params, &err);

		assert_non_null(ln);
		assert_int_equal(lstat(p->path, &st), 0);
		assert_int_equal(st.st_uid, 65533);
		assert_int_equal(st.st_gid, 65532);
		assert_int_equal(st.st_mode & 07777, 0640);
		listener_free(ln);
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	umask(old);
	assert_true(w.seen > 0);
	assert_int_equal(w.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serves_with_its_mode_and_tells_the_peer,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_second_one_is_refused_and_the_first_goes_on,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_dead_socket_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_that_somebody_serves_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_foreign_file_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_link_is_not_followed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_name_that_is_not_ours_any_more_stays, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_missing_directory_is_named, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_name_that_is_too_long, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_unknown_owner_leaves_no_name, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_the_owner_and_group_and_never_a_wider_mode,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
