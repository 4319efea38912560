/* SPDX-License-Identifier: Apache-2.0 */
/* A FIFO's name: what is made there, and what is found there and left alone. */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"
#include "net/fifo.h"

struct place {
	struct loop *loop;
	struct temp_dir dir;
	char path[96], other[96];
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->loop = loop_new();
	temp_dir_make(&p->dir);
	snprintf(p->path, sizeof(p->path), "%s/f", p->dir.path);
	snprintf(p->other, sizeof(p->other), "%s/other", p->dir.path);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "f", "f.lock", "f.next", "other", NULL };
	struct place *p = *state;

	loop_free(p->loop);
	temp_dir_remove(&p->dir, names);
	free(p);
	return 0;
}

static struct fifo *make(struct place *p, bool out, mode_t mode, struct error *err)
{
	const struct fifo_params params = { .path = p->path, .out = out, .mode = mode };

	return fifo_new(p->loop, &params, err);
}

static struct stat look_at(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st;
}

static void test_made_and_removed(void **state)
{
	static const mode_t modes[] = { 0600, 0620, 0640, 0644, 0660, 0666 };
	struct place *p = *state;
	mode_t old = umask(0);

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		struct error err = ERROR_INIT;
		struct fifo *f = make(p, i % 2, modes[i], &err);
		struct stat st = look_at(p->path);

		assert_non_null(f);
		assert_true(S_ISFIFO(st.st_mode));
		assert_int_equal(st.st_mode & 07777, modes[i]);
		fifo_free(f);
		assert_int_equal(access(p->path, F_OK), -1);
	}
	umask(old);
}

static void test_the_owner_and_group(void **state)
{
	struct place *p = *state;
	struct fifo_params params = {
		.path = p->path, .out = true, .mode = 0620, .owner = "65533", .group = "65532"
	};
	struct error err = ERROR_INIT;
	struct fifo *f;
	struct stat st;

	if (geteuid() != 0)
		skip();		      /* nobody else may give a file away */
	for (int i = 0; i < 2; i++) { /* the second time it is found, and belongs to neither */
		f = fifo_new(p->loop, &params, &err);
		assert_non_null(f);
		st = look_at(p->path);
		assert_int_equal(st.st_uid, 65533);
		assert_int_equal(st.st_gid, 65532);
		assert_int_equal(st.st_mode & 07777, 0620);
		fifo_free(f);
		if (i == 0) {
			assert_int_equal(mkfifo(p->path, 0600), 0);
			assert_int_equal(chown(p->path, 65533, 65532), 0);
			assert_int_equal(chmod(p->path, 0620), 0);
		}
	}
	params.owner = "no such user";
	assert_null(fifo_new(p->loop, &params, &err));
	assert_string_equal(err.text, "there is no user \"no such user\"");
}

static void test_one_that_was_there_stays(void **state)
{
	struct place *p = *state;

	for (int out = 0; out < 2; out++) {
		struct error err = ERROR_INIT;
		struct stat before, after;
		struct fifo *f;

		unlink(p->path);
		assert_int_equal(mkfifo(p->path, 0640), 0);
		before = look_at(p->path);
		f = make(p, out, 0600, &err);
		assert_non_null(f);
		fifo_free(f);
		after = look_at(p->path);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_mode, after.st_mode);
	}
}

static void assert_refused(struct place *p, const char *sentence)
{
	for (int out = 0; out < 2; out++) {
		struct stat before = look_at(p->path), after;
		struct error err = ERROR_INIT;
		mem_auto_str text = mem_printf("%s exists and %s: it is left alone", p->path,
					       sentence);

		assert_null(make(p, out, 0600, &err));
		assert_int_equal(err.code, ERR_ENDPOINT);
		assert_string_equal(err.text, text);
		after = look_at(p->path);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_int_equal(before.st_mode, after.st_mode);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
		assert_int_equal(before.st_ctim.tv_nsec, after.st_ctim.tv_nsec);
	}
}

static void write_file(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
}

static void test_what_is_no_fifo(void **state)
{
	struct place *p = *state;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	write_file(p->path);
	assert_refused(p, "is no FIFO");
	unlink(p->path);

	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_refused(p, "is no FIFO");
	rmdir(p->path);

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_refused(p, "is no FIFO");
	close(fd);
}

static void test_links(void **state)
{
	struct place *p = *state;

	write_file(p->other);
	assert_int_equal(symlink(p->other, p->path), 0); /* to a file */
	assert_refused(p, "is no FIFO");
	assert_int_equal(look_at(p->other).st_size, 4);
	unlink(p->other);
	assert_refused(p, "is no FIFO"); /* to nothing: it is not made */
	assert_int_equal(access(p->other, F_OK), -1);
	assert_int_equal(mkfifo(p->other, 0600), 0);
	assert_refused(p, "is no FIFO"); /* even to a FIFO */
	unlink(p->path);

	assert_int_equal(link(p->other, p->path), 0);
	assert_refused(p, "has a second name (it is a hard link)");
}

static void test_somebody_elses(void **state)
{
	struct place *p = *state;

	if (geteuid() != 0)
		skip(); /* nobody else may give a file away */
	assert_int_equal(mkfifo(p->path, 0666), 0);
	assert_int_equal(chown(p->path, 65533, (gid_t)-1), 0);
	assert_refused(p, "belongs to another user");
}

static void test_a_directory_that_is_open_to_all(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	mem_auto_str text = mem_printf(
		"%s: everybody may write to the directory, and it is not sticky", p->path);
	struct fifo *f;

	assert_int_equal(chmod(p->dir.path, 0777), 0);
	assert_null(make(p, true, 0600, &err));
	assert_string_equal(err.text, text);
	assert_int_equal(access(p->path, F_OK), -1);
	assert_int_equal(chmod(p->dir.path, 01777), 0);
	f = make(p, true, 0600, &err);
	assert_non_null(f);
	fifo_free(f);
}

static void test_two_do_not_share_one(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct fifo *f = make(p, true, 0600, &err);
	struct stat before = look_at(p->path);

	assert_non_null(f);
	for (int out = 0; out < 2; out++) {
		assert_null(make(p, out, 0600, &err));
		assert_int_equal(err.code, ERR_ENDPOINT);
		assert_int_equal(err.os, EADDRINUSE);
		assert_non_null(strstr(err.text, "is served by another process"));
	}
	assert_int_equal(look_at(p->path).st_ino, before.st_ino);
	fifo_free(f);
	f = make(p, false, 0600, &err);
	assert_non_null(f);
	fifo_free(f);
}

static void test_a_name_that_is_not_ours_any_more_stays(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct fifo *f = make(p, true, 0600, &err);

	assert_non_null(f);
	unlink(p->path);
	write_file(p->path);
	fifo_free(f);
	assert_int_equal(look_at(p->path).st_size, 4);
}

static void test_a_missing_directory_is_named(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;

	snprintf(p->path, sizeof(p->path), "/nonexistent-dir/f");
	assert_null(make(p, true, 0600, &err));
	assert_string_equal(err.text, "look at /nonexistent-dir: No such file or directory");
}

/* Not as root: for it no mode is a hindrance. */
static void test_without_the_right_to_open(void **state)
{
	struct place *p = *state;
	struct error err = ERROR_INIT;
	struct fifo *f;
	uid_t us = geteuid();

	if (us == 0) {
		assert_int_equal(chown(p->dir.path, 65533, (gid_t)-1), 0);
		assert_int_equal(seteuid(65533), 0);
	}
	assert_int_equal(mkfifo(p->path, 0200), 0);
	assert_null(make(p, false, 0600, &err));
	assert_int_equal(err.os, EACCES);
	f = make(p, true, 0600, &err); /* who may only write may wait for a reader */
	assert_non_null(f);
	fifo_free(f);
	chmod(p->path, 0400);
	assert_null(make(p, true, 0600, &err));
	assert_int_equal(err.os, EACCES);
	assert_null(make(p, false, 0600, &err)); /* no end of ours could keep it open */
	assert_int_equal(err.os, EACCES);
	if (us == 0)
		assert_int_equal(seteuid(0), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_made_and_removed),
		T(test_the_owner_and_group),
		T(test_one_that_was_there_stays),
		T(test_what_is_no_fifo),
		T(test_links),
		T(test_somebody_elses),
		T(test_a_directory_that_is_open_to_all),
		T(test_two_do_not_share_one),
		T(test_a_name_that_is_not_ours_any_more_stays),
		T(test_a_missing_directory_is_named),
		T(test_without_the_right_to_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
