/* SPDX-License-Identifier: Apache-2.0 */
/* See hangup.h. */
#include "net/hangup.h"

#include <assert.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "net/loop_int.h"

static void on_edge(evutil_socket_t fd, short what, void *arg)
{
	struct hangup *h = arg;
	struct pollfd p = { .fd = fd };

	(void)what;
	if (poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)))
		h->gone(h->arg);
}

void hangup_init(struct hangup *h, struct loop *l, int fd, void (*gone)(void *arg), void *arg)
{
	*h = (struct hangup){ .gone = gone, .arg = arg };
	h->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (h->fd < 0)
		return;
	h->event = event_new(loop_base(l), h->fd, EV_CLOSED | EV_ET | EV_PERSIST, on_edge, h);
	assert(h->event);
	event_add(h->event, NULL);
}

void hangup_deinit(struct hangup *h)
{
	if (!h->event)
		return;
	event_free(h->event);
	h->event = NULL;
	close(h->fd);
}
