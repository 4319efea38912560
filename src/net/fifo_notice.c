/* SPDX-License-Identifier: Apache-2.0 */
/* See fifo_notice.h. A watch is on the FIFO, not on its name: it goes along when that changes. */
#include "net/fifo_notice.h"

#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS (IN_OPEN | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_DONT_FOLLOW)

static void on_ready(void *arg, unsigned events)
{
	struct fifo_notice *n = arg;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	(void)events;
	/* What they say does not matter: that there are some does. */
	while (read(n->fd, buffer, sizeof(buffer)) > 0)
		;
	n->happened(n->arg);
}

void fifo_notice_init(struct fifo_notice *n, struct loop *l, void (*happened)(void *arg), void *arg)
{
	*n = (struct fifo_notice){ .happened = happened, .arg = arg };
	n->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (n->fd < 0)
		return;
	watch_init(&n->watch, l, n->fd, on_ready, n);
	watch_set(&n->watch, WATCH_READ);
}

void fifo_notice_deinit(struct fifo_notice *n)
{
	if (n->fd < 0)
		return;
	watch_deinit(&n->watch);
	close(n->fd);
	n->fd = -1;
}

void fifo_notice_add(struct fifo_notice *n, const char *name)
{
	if (n->fd >= 0)
		(void)!inotify_add_watch(n->fd, name, EVENTS);
}
