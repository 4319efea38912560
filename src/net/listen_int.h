/* SPDX-License-Identifier: Apache-2.0 */
/* A listener, and the ways to come by its socket: at a path, abstract, handed down. */
#ifndef WSB_NET_LISTEN_INT_H
#define WSB_NET_LISTEN_INT_H

#include <sys/socket.h>
#include <sys/un.h>

#include "net/listen.h"
#include "net/loop.h"
#include "net/peer_check.h"

#define LISTEN_BACKLOG 128
#define LISTEN_INHERITED "systemd:" /* what a name begins with */

struct inherited; /* a socket that was handed down */

/* While there are no descriptors left. */
struct listener_pause {
	struct timer timer;
	int64_t delay;
};

struct listener {
	struct loop *loop;
	int type; /* SOCK_STREAM or SOCK_SEQPACKET */
	int fd, lock;
	struct inherited *inherited; /* fd is lent from there; NULL = it is ours */
	dev_t dev;		     /* of the name we made */
	ino_t ino;		     /* 0 = there is none */
	struct peer_check *check;    /* NULL: everybody whom the mode lets in */
	struct watch watch;
	struct listener_pause *pause; /* NULL: there are descriptors */
	listener_cb cb;
	listener_refused_cb refused;
	void *arg, *refused_arg;
	char path[];
};

/* Each sets fd, and what goes with it; on failure what was done is undone by listener_free. */
bool listen_at_path(struct listener *ln, const struct listener_params *params, struct error *err);
bool listen_abstract(struct listener *ln, struct error *err);
bool listen_inherited(struct listener *ln, struct error *err);
bool listen_tcp(struct listener *ln, struct error *err);

void listen_remove_name(struct listener *ln);
void listen_give_back(struct listener *ln); /* the inherited socket stays open */

/* *addr is the address of a path, or of an abstract "@name". */
bool listen_address(const char *path, struct sockaddr_un *addr, socklen_t *len, struct error *err);

#endif
