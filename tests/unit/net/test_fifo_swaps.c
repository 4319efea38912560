/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of a FIFO that come and go as fast as they can, in a process of
 * their own: none may find the middle of a record first, or another reader's
 * rest. One record in a few is bigger than a pipe.
 */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "net/fifo.h"
#include "net/stream.h"

#define SWAPS 10000
/* Where these take longer than ENOUGH seconds (under valgrind), so many of each kind must do. */
#define ENOUGH 15
#define SWAPS_MIN 150
#define RECORD_MAX 150000

enum { TORN = 10, LATE, CANNOT_OPEN };

/* A record: its length in eight digits, that many letters, a newline. */
static size_t record_size(unsigned seq)
{
	return seq % 7 == 0 ? RECORD_MAX - seq % 1000 : 20 + seq % 900;
}

static size_t put_record(char *out, unsigned seq)
{
	size_t n = record_size(seq);

	snprintf(out, 9, "%08zu", n);
	memset(out + 8, 'a' + (int)(seq % 26), n);
	out[8 + n] = '\n';
	return n + 9;
}

struct checker {
	char head[8];
	size_t at, n; /* place in the record, letters in it */
	char letter;
};

/* False: this byte cannot stand here. */
static bool check_byte(struct checker *c, char byte)
{
	size_t at = c->at++;

	if (at < 8) {
		c->head[at] = byte;
		c->n = at == 0 ? 0 : c->n;
		c->n = c->n * 10 + (size_t)(byte - '0');
		return byte >= '0' && byte <= '9' && c->n <= RECORD_MAX;
	}
	if (at == 8)
		c->letter = byte;
	if (at < 8 + c->n)
		return byte == c->letter && byte >= 'a' && byte <= 'z';
	c->at = 0;
	return byte == '\n';
}

/* Reads up to `want` bytes in pieces; -1: something was torn. */
static int read_session(int fd, size_t want, size_t piece)
{
	static char bytes[65536];
	struct checker c = { .at = 0 };
	size_t got = 0;

	while (got < want) {
		ssize_t n = read(fd, bytes, piece);

		if (n <= 0)
			return n == 0 && c.at == 0 ? 0 : -1;
		for (ssize_t i = 0; i < n; i++)
			if (!check_byte(&c, bytes[i]))
				return -1;
		got += (size_t)n;
	}
	return 0;
}

static bool is_enough(time_t began, unsigned done)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return done >= SWAPS_MIN && now.tv_sec - began > ENOUGH;
}

static int be_the_readers(const char *path, unsigned swaps, unsigned seed)
{
	struct timespec began;

	clock_gettime(CLOCK_MONOTONIC, &began);
	for (unsigned i = 0; i < swaps && !is_enough(began.tv_sec, i); i++) {
		unsigned dice = (i * 2654435761U + seed) >> 7;
		size_t want = dice % 5 == 0 ? 0 : dice % 3000 + (dice % 50 == 1 ? 200000 : 0);
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return CANNOT_OPEN;
		if (read_session(fd, want, 1 + dice % 4000) < 0)
			return TORN;
		close(fd);
	}
	return 0;
}

struct writer {
	struct loop *loop;
	struct fifo *fifo;
	struct temp_dir dir;
	char path[96];
	struct stream *stream;
	char record[RECORD_MAX + 16];
	size_t at, n; /* of the record that is being written */
	unsigned seq, sessions;
	pid_t child;
	int status;
};

static void write_on(struct writer *w)
{
	/* Not for ever: the loop must see that the reader is gone. */
	for (int i = 0; i < 20 && w->stream; i++) {
		struct iovec iov;
		size_t n;

		if (w->at == w->n) {
			w->n = put_record(w->record, w->seq++);
			w->at = 0;
		}
		iov = (struct iovec){ .iov_base = w->record + w->at, .iov_len = w->n - w->at };
		n = stream_offer(w->stream, &iov, 1);
		w->at += n;
		if (n < iov.iov_len)
			return;
	}
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct writer *w = arg;

	(void)data;
	(void)err;
	if (event == STREAM_WRITABLE) {
		write_on(w);
		return;
	}
	assert_int_equal(event, STREAM_FAILED);
	stream_free(w->stream);
	w->stream = NULL;
	w->at = w->n = 0;
	fifo_next(w->fifo);
}

static void on_fifo(void *arg, enum fifo_event event, struct stream *stream,
		    const struct error *err)
{
	struct writer *w = arg;

	if (event == FIFO_BROKEN)
		fail_msg("%s", err->text);
	assert_null(w->stream);
	w->sessions++;
	w->stream = stream;
	stream_attach(stream, on_stream, w);
	write_on(w);
}

static bool is_over(void *arg)
{
	struct writer *w = arg;

	/* What is written comes in many turns, so a reader is also met in the middle of one. */
	write_on(w);
	return waitpid(w->child, &w->status, WNOHANG) == w->child;
}

/* The result is not the exit status: under valgrind that tells of memory, which is the parent's. */
static void run_readers(struct writer *w, unsigned swaps, unsigned seed)
{
	int *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(result != MAP_FAILED);
	*result = LATE;
	w->child = fork();
	assert_true(w->child >= 0);
	if (w->child == 0) {
		alarm(60);
		*result = be_the_readers(w->path, swaps, seed);
		_exit(0);
	}
	assert_true(turn_until(w->loop, is_over, w, 3 * PATIENCE));
	assert_true(WIFEXITED(w->status));
	assert_int_equal(*result, 0);
	munmap(result, sizeof(*result));
}

static void swap_readers(bool is_found)
{
	struct writer *w = calloc(1, sizeof(*w));
	const char *const names[] = { "f", "f.lock", NULL };
	struct fifo_params params = { .out = true, .mode = 0600 };
	struct error err = ERROR_INIT;
	struct stat st;

	assert_non_null(w);
	w->loop = loop_new();
	temp_dir_make(&w->dir);
	snprintf(w->path, sizeof(w->path), "%s/f", w->dir.path);
	params.path = w->path;
	if (is_found)
		assert_int_equal(mkfifo(w->path, 0600), 0);
	w->fifo = fifo_new(w->loop, &params, &err);
	assert_non_null(w->fifo);
	fifo_start(w->fifo, on_fifo, w);
	run_readers(w, SWAPS / 2, is_found);
	assert_true(w->sessions >= SWAPS_MIN);
	stream_free(w->stream);
	fifo_free(w->fifo);
	assert_int_equal(lstat(w->path, &st), is_found ? 0 : -1);
	loop_drain(w->loop);
	loop_free(w->loop);
	temp_dir_remove(&w->dir, names);
	free(w);
}

static void test_of_a_fifo_that_we_made(void **state)
{
	(void)state;
	swap_readers(false);
}

static void test_of_a_fifo_that_was_there(void **state)
{
	(void)state;
	swap_readers(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of_a_fifo_that_we_made),
		cmocka_unit_test(test_of_a_fifo_that_was_there),
	};
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
