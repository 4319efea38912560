/* SPDX-License-Identifier: Apache-2.0 */
/* The watches of net/loop.h and net/hangup.h on descriptors of sim_fd.h. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/hangup.h"
#include "sim/sim_fd.h"
#include "sim/sim_loop_int.h"

static struct event *event_of(struct sim_source *s)
{
	return list_entry(s, struct event, source);
}

static struct event *event_on(struct loop *l, int fd, bool (*is_ready)(struct sim_source *s),
			      void (*deliver)(struct sim_source *s))
{
	struct event *e = mem_zalloc(sizeof(*e));

	e->sock = sim_fd_sock(fd);
	assert(e->sock);
	sim_source_init(&e->source, l, is_ready, deliver);
	list_init(&e->of_sock);
	list_append(&e->sock->watchers, &e->of_sock);
	return e;
}

static void event_free(struct event *e)
{
	list_remove(&e->of_sock);
	sim_source_deinit(&e->source);
	free(e);
}

static unsigned ready_events(const struct event *e)
{
	const struct watch *w = e->owner;
	unsigned events = 0;

	if (sim_sock_is_readable(e->sock))
		events |= WATCH_READ;
	if (sim_sock_is_writable(e->sock))
		events |= WATCH_WRITE;
	return events & w->wanted;
}

static bool is_watch_ready(struct sim_source *s)
{
	return ready_events(event_of(s)) != 0;
}

static void deliver_watch(struct sim_source *s)
{
	struct event *e = event_of(s);
	struct watch *w = e->owner;

	w->ready(w->arg, ready_events(e));
}

void watch_init(struct watch *w, struct loop *l, int fd, void (*ready)(void *arg, unsigned events),
		void *arg)
{
	*w = (struct watch){ .ready = ready, .arg = arg };
	w->read = event_on(l, fd, is_watch_ready, deliver_watch);
	w->read->owner = w;
}

void watch_deinit(struct watch *w)
{
	if (w->read)
		event_free(w->read);
	w->read = NULL;
	w->wanted = 0;
}

void watch_set(struct watch *w, unsigned events)
{
	w->wanted = events;
	if (w->read)
		sim_source_poke(&w->read->source);
}

static bool is_hung_up(struct sim_source *s)
{
	struct event *e = event_of(s);
	struct hangup *h = e->owner;

	return h->gone && (sim_sock_is_hung_up(e->sock) || e->sock->error);
}

static void deliver_hangup(struct sim_source *s)
{
	struct hangup *h = event_of(s)->owner;
	void (*gone)(void *arg) = h->gone;

	h->gone = NULL; /* once */
	gone(h->arg);
}

void hangup_init(struct hangup *h, struct loop *l, int fd, void (*gone)(void *arg), void *arg)
{
	*h = (struct hangup){ .fd = sim_fd_new(sim_fd_sock(fd)), .gone = gone, .arg = arg };
	h->event = event_on(l, h->fd, is_hung_up, deliver_hangup);
	h->event->owner = h;
	sim_source_poke(&h->event->source);
}

void hangup_deinit(struct hangup *h)
{
	if (!h->event)
		return;
	event_free(h->event);
	h->event = NULL;
	close(h->fd);
	h->fd = -1;
}
