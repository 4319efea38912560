/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See suspend.h. It measures and does nothing else: what was lost while we
 * slept is for the links to find out. The trap: the kernel cancels the timer
 * at every step of the clock, also when an administrator sets it, so being
 * woken means no more than to look.
 */
#include "net/suspend.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"

struct suspend {
	int64_t (*gap)(void);
	int64_t seen; /* gap at the last look */
	suspend_cb cb;
	void *arg;
	int fd; /* -1 = this kernel, or sandbox, has no such timer */
	struct watch watch;
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t kernel_gap(void)
{
	int64_t monotonic = clock_us(CLOCK_MONOTONIC);

	return clock_us(CLOCK_BOOTTIME) - monotonic;
}

void suspend_look(struct suspend *s)
{
	int64_t gap = s->gap(), slept = gap - s->seen;

	s->seen = gap;
	if (slept >= SUSPEND_MIN)
		s->cb(s->arg, slept);
}

/* It never expires: all it can tell is that the clock has made a step. */
static bool arm(int fd)
{
	const struct itimerspec never = {
		.it_value = { .tv_sec = (time_t)(sizeof(time_t) == 8 ? INT64_MAX : INT32_MAX) },
	};

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

static void close_timer(struct suspend *s)
{
	watch_deinit(&s->watch);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void on_clock_step(void *arg, unsigned events)
{
	struct suspend *s = arg;
	uint64_t expirations;

	(void)events;
	/* ECANCELED is the answer; asking is what makes the descriptor wait for the next step. */
	if (read(s->fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
		return;
	suspend_look(s);
}

struct suspend *suspend_new(struct loop *l, int64_t (*gap)(void), suspend_cb cb, void *arg)
{
	struct suspend *s = mem_zalloc(sizeof(*s));

	s->gap = gap ? gap : kernel_gap;
	s->seen = s->gap();
	s->cb = cb;
	s->arg = arg;
	s->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->fd < 0)
		return s;
	watch_init(&s->watch, l, s->fd, on_clock_step, s);
	watch_set(&s->watch, WATCH_READ);
	if (!arm(s->fd))
		close_timer(s);
	return s;
}

void suspend_free(struct suspend *s)
{
	if (!s)
		return;
	close_timer(s);
	free(s);
}
