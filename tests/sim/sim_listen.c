/* SPDX-License-Identifier: Apache-2.0 */
/* See sim_listen.h. */
#include "sim/sim_listen.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sim/sim_fd.h"

#define ACCEPTS_PER_TURN 32

struct pending {
	struct list node;
	struct sim_sock *sock;
	pid_t pid;
};

struct listener {
	struct list node;
	struct sim_source source;
	struct list pending;
	char *path; /* NULL = stopped */
	listener_cb cb;
	void *arg;
};

static struct list listeners = { &listeners, &listeners };

static struct listener *find(const char *path)
{
	list_each(it, next, &listeners) {
		struct listener *ln = list_entry(it, struct listener, node);

		if (ln->path && strcmp(ln->path, path) == 0)
			return ln;
	}
	return NULL;
}

bool sim_is_listening(const char *path)
{
	return find(path) != NULL;
}

size_t sim_listeners_live(void)
{
	size_t n = 0;

	list_each(it, next, &listeners)
		n++;
	return n;
}

static bool is_ready(struct sim_source *s)
{
	const struct listener *ln = list_entry(s, struct listener, source);

	return ln->cb && !list_empty(&ln->pending);
}

static void deliver(struct sim_source *s)
{
	struct listener *ln = list_entry(s, struct listener, source);

	for (int i = 0; i < ACCEPTS_PER_TURN && is_ready(s); i++) {
		struct pending *p = list_entry(ln->pending.next, struct pending, node);
		struct peer_cred peer = { .pid = p->pid, .uid = 1000, .gid = 1000 };
		int fd = sim_fd_new(p->sock);

		list_remove(&p->node);
		free(p);
		ln->cb(ln->arg, fd, &peer);
	}
}

struct listener *listener_new(struct loop *l, const struct listener_params *params,
			      struct error *err)
{
	struct listener *ln;

	if (find(params->path)) {
		error_set(err, ERR_ENDPOINT, "%s is served by another process", params->path);
		err->os = EADDRINUSE;
		return NULL;
	}
	ln = mem_zalloc(sizeof(*ln));
	ln->path = mem_strdup(params->path);
	list_init(&ln->pending);
	list_append(&listeners, &ln->node);
	sim_source_init(&ln->source, l, is_ready, deliver);
	return ln;
}

void listener_on_refused(struct listener *ln, listener_refused_cb cb, void *arg)
{
	(void)ln;
	(void)cb;
	(void)arg;
}

void listener_inherit(const char *name, int fd)
{
	(void)name;
	(void)fd;
}

void listener_start(struct listener *ln, listener_cb cb, void *arg)
{
	ln->cb = cb;
	ln->arg = arg;
	sim_source_poke(&ln->source);
}

void listener_stop(struct listener *ln)
{
	free(ln->path);
	ln->path = NULL;
	ln->cb = NULL;
	while (!list_empty(&ln->pending)) {
		struct pending *p = list_entry(ln->pending.next, struct pending, node);

		list_remove(&p->node);
		close(sim_fd_new(p->sock));
		free(p);
	}
}

void listener_free(struct listener *ln)
{
	if (!ln)
		return;
	listener_stop(ln);
	list_remove(&ln->node);
	sim_source_deinit(&ln->source);
	free(ln);
}

struct sim_sock *sim_connect(struct loop *l, struct sim_rand *r, const char *path, pid_t pid)
{
	static const struct sim_path local = {
		.delay_max = 30, .sndbuf = 32768, .rcvbuf = 32768, .chunk = 65536, .local = true
	};
	struct listener *ln = find(path);
	struct pending *p;

	if (!ln)
		return NULL;
	p = mem_zalloc(sizeof(*p));
	p->sock = sim_sock_pair(l, r, &local);
	p->pid = pid;
	list_append(&ln->pending, &p->node);
	sim_source_poke(&ln->source);
	return p->sock->peer;
}
