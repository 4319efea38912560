/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells when something happens to the FIFOs of a place: opened, moved,
 * removed (inotify(7)). It is a hint to look, no more; where the kernel has no
 * watch left to give, it is silent, and its owner looks from time to time
 * anyway. Owned by a fifo.
 */
#ifndef WSB_NET_FIFO_NOTICE_H
#define WSB_NET_FIFO_NOTICE_H

#include "net/loop.h"

struct fifo_notice {
	int fd; /* -1 = silent */
	struct watch watch;
	void (*happened)(void *arg);
	void *arg;
};

void fifo_notice_init(struct fifo_notice *n, struct loop *l, void (*happened)(void *arg),
		      void *arg);
void fifo_notice_deinit(struct fifo_notice *n);		       /* twice is fine */
void fifo_notice_add(struct fifo_notice *n, const char *name); /* what stands there now */

#endif
