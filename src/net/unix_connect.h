/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a Unix stream socket at a path: at once, or not at all. */
#ifndef WSB_NET_UNIX_CONNECT_H
#define WSB_NET_UNIX_CONNECT_H

#include "base/error.h"

/*
 * A connected, non-blocking, close-on-exec descriptor; -1: *err is
 * ERR_CONNECT, stage connect. A listener whose backlog is full is an error
 * (EAGAIN, "busy"): the kernel says nothing when there is room again.
 */
int unix_connect(const char *path, struct error *err);

#endif
