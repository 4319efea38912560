/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fifo.h. There are two ends, in front and in the back, and each is armed
 * while it waits: emptied, and held open for writing by us, so that whoever
 * opens it comes through at once, even one who has looked up the name before
 * the two changed places. `look` compares all of it with how it should be; it
 * runs after every event and, since events may be missed, on a timer.
 */
#include "net/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/fifo_notice.h"
#include "net/fifo_place.h"
#include "net/loop.h"
#include "net/pipe_stream.h"

#define LOOK_MIN 250000
#define LOOK_MAX 2000000
/* In all more than a pipe can hold (pipe(7), pipe-max-size). */
#define DRAIN_SIZE 16384
#define DRAINS_MAX 256

struct fifo {
	struct loop *loop;
	struct fifo_place place;
	bool out;
	/* Our writing ends, -1 = none: of `out`, what waits for a reader; of `in`, front is what
	 * keeps the pipe open. */
	int front, back;
	int reading;  /* in: opened, and not given out yet */
	bool serving; /* out: a stream has been given out, and is not free yet */
	bool at_back; /* it belongs to the FIFO in the back */
	bool stopped;
	struct fifo_notice notice;
	struct timer timer;
	int64_t look_in;
	struct error told; /* what BROKEN said last; ERR_NONE: it is in order */
	fifo_cb cb;
	void *arg;
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Not into the loop's buffer: somebody further up may be looking at what is in it. */
static void drain(int fd)
{
	char sink[DRAIN_SIZE];

	for (int i = 0; i < DRAINS_MAX; i++)
		if (read(fd, sink, sizeof(sink)) <= 0)
			return;
}

/*
 * An end to write to, of a pipe that is empty. With a reading end of our own it opens without
 * a reader. Where we may not read, *fd is -1 until there is one.
 */
static bool arm(struct fifo *f, const char *name, const struct fifo_id *id, int *fd,
		struct error *err)
{
	int reading = fifo_place_open(name, id, O_RDONLY, err);

	if (reading < 0 && err->os != EACCES)
		return false;
	if (reading >= 0)
		drain(reading);
	*fd = fifo_place_open(name, id, O_WRONLY, err);
	close_end(&reading);
	fifo_notice_add(&f->notice, name);
	return *fd >= 0 || err->os == ENXIO;
}

static bool has_reader(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLOUT };

	return fd >= 0 && poll(&look, 1, 0) >= 0 && !(look.revents & POLLERR);
}

/* The pipe that we read. Our own writing end comes second: it needs a reader. */
static bool open_in(struct fifo *f, struct error *err)
{
	close_end(&f->reading); /* of one that was taken away before it was given out */
	f->reading = fifo_place_open(f->place.path, &f->place.front, O_RDONLY, err);
	if (f->reading < 0)
		return false;
	f->front = fifo_place_open(f->place.path, &f->place.front, O_WRONLY, err);
	if (f->front < 0)
		close_end(&f->reading);
	else
		fifo_notice_add(&f->notice, f->place.path);
	return f->front >= 0;
}

static bool open_front(struct fifo *f, struct error *err)
{
	if (!fifo_place_enter(&f->place, err))
		return false;
	if (f->out)
		return arm(f, f->place.path, &f->place.front, &f->front, err);
	return open_in(f, err);
}

/* Sees to it that we have our end of what is at the path. */
static bool settle(struct fifo *f, struct error *err)
{
	bool here = fifo_place_is_entered(&f->place);

	if (here && (f->front >= 0 || (f->serving && !f->at_back)))
		return true;
	close_end(&f->front);
	if (!here && f->serving)
		f->at_back = true; /* its FIFO has no name any more, or that of the back */
	return open_front(f, err);
}

/* The one in the back waits for its turn, and for whoever is late. */
static bool prepare_back(struct fifo *f)
{
	ino_t before = f->place.back.ino; /* not given to another while our end is open */
	bool done = fifo_place_prepare(&f->place);
	struct error err;

	if (!done || f->place.back.ino != before)
		close_end(&f->back);
	if (!done)
		return false;
	return f->back >= 0 || arm(f, f->place.next, &f->place.back, &f->back, &err);
}

static void serve(struct fifo *f, int *end)
{
	int fd = *end;

	*end = -1;
	f->serving = true;
	f->cb(f->arg, FIFO_PEER, pipe_stream_new(f->loop, fd), NULL);
}

static void serve_front(struct fifo *f)
{
	int fd = f->front;

	f->at_back = prepare_back(f) && fifo_place_swap(&f->place);
	if (f->at_back) {
		f->front = f->back;
		f->back = fd;
		serve(f, &f->back);
	} else {
		serve(f, &f->front);
	}
}

static void look_for_reader(struct fifo *f)
{
	if (f->serving)
		return;
	if (f->place.back.ino)
		prepare_back(f);
	if (has_reader(f->back)) {
		f->at_back = true;
		serve(f, &f->back);
	} else if (has_reader(f->front)) {
		serve_front(f);
	}
}

static void give_reading(struct fifo *f)
{
	int fd = f->reading;

	f->reading = -1;
	if (fd >= 0)
		f->cb(f->arg, FIFO_PEER, pipe_stream_new(f->loop, fd), NULL);
}

static void tell(struct fifo *f, const struct error *err)
{
	if (f->told.code != ERR_NONE && strcmp(f->told.text, err->text) == 0)
		return;
	f->told = *err;
	f->look_in = LOOK_MIN;
	f->cb(f->arg, FIFO_BROKEN, NULL, err);
}

static void look(struct fifo *f)
{
	struct error err = ERROR_INIT;

	if (f->stopped)
		return;
	if (settle(f, &err))
		f->told.code = ERR_NONE;
	else
		tell(f, &err);
	if (!f->stopped && f->out)
		look_for_reader(f);
	if (!f->stopped && !f->out)
		give_reading(f);
	if (!f->stopped)
		timer_arm(&f->timer, f->look_in);
}

static void on_timer(void *arg)
{
	struct fifo *f = arg;

	f->look_in = f->look_in < LOOK_MAX / 2 ? f->look_in * 2 : LOOK_MAX;
	look(f);
}

static void on_notice(void *arg)
{
	struct fifo *f = arg;

	if (f->cb)
		look(f);
}

struct fifo *fifo_new(struct loop *l, const struct fifo_params *params, struct error *err)
{
	struct fifo *f = mem_zalloc(sizeof(*f));

	if (!fifo_place_init(&f->place, params, err)) {
		free(f);
		return NULL;
	}
	f->loop = l;
	f->out = params->out;
	f->front = f->back = f->reading = -1;
	f->look_in = LOOK_MIN;
	timer_init(&f->timer, l, on_timer, f);
	fifo_notice_init(&f->notice, l, on_notice, f);
	if (open_front(f, err))
		return f;
	fifo_free(f);
	return NULL;
}

void fifo_start(struct fifo *f, fifo_cb cb, void *arg)
{
	f->cb = cb;
	f->arg = arg;
	timer_arm(&f->timer, 0);
}

/* Is somebody there whom we have let down? He is to read to the end, and see that it is one. */
static bool is_still_read(struct fifo *f)
{
	struct error err;
	int fd = fifo_place_open(f->place.next, &f->place.back, O_WRONLY, &err);
	bool is_read = fd >= 0;

	close_end(&fd);
	return is_read;
}

/* What is left in the pipe was for the stream that is gone. */
static void begin_anew(struct fifo *f)
{
	struct error err;

	close_end(&f->front);
	if (!f->stopped && open_front(f, &err))
		drain(f->reading);
}

void fifo_next(struct fifo *f)
{
	if (!f->out)
		begin_anew(f);
	if (f->at_back && is_still_read(f))
		fifo_place_forget_back(&f->place);
	f->serving = f->at_back = false;
	f->look_in = LOOK_MIN;
	look(f);
}

void fifo_stop(struct fifo *f)
{
	if (f->stopped)
		return;
	f->stopped = true;
	timer_disarm(&f->timer);
	fifo_notice_deinit(&f->notice);
	close_end(&f->front);
	close_end(&f->back);
	close_end(&f->reading);
	fifo_place_leave(&f->place);
}

void fifo_free(struct fifo *f)
{
	if (!f)
		return;
	fifo_stop(f);
	timer_deinit(&f->timer);
	fifo_place_deinit(&f->place);
	free(f);
}
