/* SPDX-License-Identifier: Apache-2.0 */
/* A FIFO in a directory of its own, what it gives out, and the other ends, in the same process. */
#ifndef WSB_UNIT_NET_FIFO_HALL_H
#define WSB_UNIT_NET_FIFO_HALL_H

#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "net/fifo.h"
#include "net/stream.h"

#define STREAMS 8

struct peer {
	struct stream *stream; /* NULL once it has failed or ended */
	char got[256];
	size_t n;
	bool eof;
};

struct hall {
	struct loop *loop;
	struct temp_dir dir;
	struct fifo *fifo;
	char path[96], other[96];
	struct peer peers[STREAMS];
	unsigned n_peers, n_gone, n_broken;
	bool keeps_going; /* asks for the next one when one has gone */
	struct error broken;
	unsigned turns;
};

static inline void on_stream(void *arg, enum stream_event event, struct span data,
			     const struct error *err);

static struct hall *hall_of_all; /* of the test that runs */

static inline int set_up(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->loop = loop_new();
	h->keeps_going = true;
	temp_dir_make(&h->dir);
	snprintf(h->path, sizeof(h->path), "%s/f", h->dir.path);
	snprintf(h->other, sizeof(h->other), "%s/other", h->dir.path);
	hall_of_all = h;
	*state = h;
	return 0;
}

static inline int tear_down(void **state)
{
	static const char *const names[] = { "f.lock", "other", NULL };
	struct hall *h = *state;

	fifo_free(h->fifo);
	for (unsigned i = 0; i < h->n_peers; i++)
		stream_free(h->peers[i].stream);
	loop_drain(h->loop);
	loop_free(h->loop);
	temp_dir_remove(&h->dir, names); /* neither f nor f.next is left */
	free(h);
	return 0;
}

static inline void peer_gone(struct hall *h, struct peer *p)
{
	stream_free(p->stream);
	p->stream = NULL;
	h->n_gone++;
	if (h->keeps_going)
		fifo_next(h->fifo);
}

static inline void on_stream(void *arg, enum stream_event event, struct span data,
			     const struct error *err)
{
	struct peer *p = arg;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		assert_true(p->n + data.n < sizeof(p->got));
		memcpy(p->got + p->n, data.p, data.n);
		p->n += data.n;
		break;
	case STREAM_WRITABLE:
		break;
	case STREAM_EOF:
		p->eof = true;
		break;
	case STREAM_FAILED:
		peer_gone(hall_of_all, p);
		break;
	}
}

static inline void on_fifo(void *arg, enum fifo_event event, struct stream *stream,
			   const struct error *err)
{
	struct hall *h = arg;

	if (event == FIFO_BROKEN) {
		h->n_broken++;
		h->broken = *err;
		return;
	}
	assert_true(h->n_peers < STREAMS);
	h->peers[h->n_peers].stream = stream;
	stream_attach(stream, on_stream, &h->peers[h->n_peers++]);
}

static inline void open_it(struct hall *h, bool out)
{
	const struct fifo_params params = { .path = h->path, .out = out, .mode = 0600 };
	struct error err = ERROR_INIT;

	h->fifo = fifo_new(h->loop, &params, &err);
	if (!h->fifo)
		fail_msg("%s", err.text);
	fifo_start(h->fifo, on_fifo, h);
}

/* For the conditions. */
static unsigned wanted;

static inline bool have_come(void *arg)
{
	return ((struct hall *)arg)->n_peers >= wanted;
}

static inline bool have_gone(void *arg)
{
	return ((struct hall *)arg)->n_gone >= wanted;
}

static inline bool has_turned(void *arg)
{
	return ((struct hall *)arg)->turns++ > 20;
}

static inline void wait_for(struct hall *h, bool (*holds)(void *arg), unsigned n)
{
	wanted = n;
	h->turns = 0;
	assert_true(turn_until(h->loop, holds, h, PATIENCE));
}

static inline int open_end(const char *path, int flags)
{
	int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static inline void say(struct hall *h, unsigned peer, const char *text)
{
	struct iovec iov = { .iov_base = (char *)(uintptr_t)text, .iov_len = strlen(text) };

	assert_int_equal(stream_offer(h->peers[peer].stream, &iov, 1), strlen(text));
}

static inline void assert_reads(int fd, const char *text)
{
	char got[64];
	ssize_t n = read(fd, got, sizeof(got) - 1);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

/* Nobody may die of writing to a pipe that nobody reads. */
static inline void ignore_sigpipe(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
