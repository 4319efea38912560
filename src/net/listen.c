/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening Unix socket, wherever it comes from: who connects is looked at,
 * and handed to the owner or turned away. Accepting pauses when descriptors
 * run out: a level-triggered listener would spin. The trap: the owner may
 * stop the listener from inside the callback.
 */
#include "net/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/listen_int.h"

#define ACCEPTS_PER_TURN 32
#define PAUSE_MIN 100000
#define PAUSE_MAX 1000000

static void on_pause_over(void *arg)
{
	struct listener *ln = arg;

	watch_set(&ln->watch, WATCH_READ);
}

static void pause_accepting(struct listener *ln)
{
	struct listener_pause *p = ln->pause;

	if (!p) {
		p = ln->pause = mem_alloc(sizeof(*p));
		timer_init(&p->timer, ln->loop, on_pause_over, ln);
		p->delay = PAUSE_MIN / 2;
	}
	p->delay = p->delay < PAUSE_MAX / 2 ? p->delay * 2 : PAUSE_MAX;
	watch_set(&ln->watch, 0);
	timer_arm(&p->timer, p->delay);
}

static void end_pause(struct listener *ln)
{
	if (ln->pause)
		timer_deinit(&ln->pause->timer);
	free(ln->pause);
	ln->pause = NULL;
}

static void accept_one(struct listener *ln, int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	struct peer_cred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		close(fd);
		return;
	}
	peer = (struct peer_cred){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	if (!ln->check || peer_check_allows(ln->check, &peer, fd)) {
		ln->cb(ln->arg, fd, &peer);
		return;
	}
	close(fd);
	if (ln->refused)
		ln->refused(ln->refused_arg, &peer);
}

static void on_ready(void *arg, unsigned events)
{
	struct listener *ln = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && ln->fd >= 0; i++) {
		int fd = accept4(ln->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
			pause_accepting(ln);
		if (fd < 0)
			return;
		end_pause(ln);
		accept_one(ln, fd);
	}
}

static bool get_socket(struct listener *ln, const struct listener_params *params, struct error *err)
{
	const struct peer_names names = {
		.users = params->allow_users,
		.groups = params->allow_groups,
		.n_users = params->n_allow_users,
		.n_groups = params->n_allow_groups,
	};

	if (params->tcp)
		return listen_tcp(ln, err);
	if (names.n_users + names.n_groups > 0) {
		ln->check = mem_zalloc(sizeof(*ln->check));
		if (!peer_check_init(ln->check, &names, err))
			return error_context(err, "%s", params->path);
	}
	if (strncmp(params->path, LISTEN_INHERITED, strlen(LISTEN_INHERITED)) == 0)
		return listen_inherited(ln, err);
	return params->path[0] == '@' ? listen_abstract(ln, err) : listen_at_path(ln, params, err);
}

struct listener *listener_new(struct loop *l, const struct listener_params *params,
			      struct error *err)
{
	size_t size = strlen(params->path) + 1;
	struct listener *ln = mem_zalloc(sizeof(*ln) + size);

	memcpy(ln->path, params->path, size);
	ln->loop = l;
	ln->type = params->seqpacket ? SOCK_SEQPACKET : SOCK_STREAM;
	ln->fd = ln->lock = -1;
	if (!get_socket(ln, params, err)) {
		listener_free(ln);
		return NULL;
	}
	watch_init(&ln->watch, l, ln->fd, on_ready, ln);
	return ln;
}

void listener_on_refused(struct listener *ln, listener_refused_cb cb, void *arg)
{
	ln->refused = cb;
	ln->refused_arg = arg;
}

void listener_start(struct listener *ln, listener_cb cb, void *arg)
{
	ln->cb = cb;
	ln->arg = arg;
	watch_set(&ln->watch, WATCH_READ);
}

void listener_stop(struct listener *ln)
{
	end_pause(ln);
	watch_deinit(&ln->watch);
	listen_remove_name(ln);
	if (ln->inherited)
		listen_give_back(ln);
	else if (ln->fd >= 0)
		close(ln->fd);
	ln->fd = -1;
}

void listener_free(struct listener *ln)
{
	if (!ln)
		return;
	listener_stop(ln);
	if (ln->check)
		peer_check_deinit(ln->check);
	free(ln->check);
	if (ln->lock >= 0)
		close(ln->lock);
	free(ln);
}
