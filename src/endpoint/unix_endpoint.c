/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint that is a listening Unix socket, stream or seqpacket: each
 * connection is a client. What is sent and reported is endpoint.c's affair.
 * Owned by a bridge. The trap: everything that can fail comes before
 * endpoint_init, which takes a reference to the configuration.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "endpoint/endpoint_int.h"
#include "endpoint/packet.h"
#include "net/listen.h"
#include "net/stream.h"

struct unix_endpoint {
	struct endpoint base;
	struct listener *listener;
};

static struct unix_endpoint *of(struct endpoint *e)
{
	return (struct unix_endpoint *)(void *)e;
}

static void on_accept(void *arg, int fd, const struct peer_cred *cred)
{
	struct endpoint *e = arg;
	char name[CLIENT_NAME_SIZE];
	struct client_peer peer = { .fd = fd, .name = name, .pid = cred->pid, .uid = cred->uid };
	struct error err;

	client_format_name(name, cred->pid, cred->uid);
	if (!endpoint_has_place(e, &err)) {
		close(fd);
		endpoint_refuse(e, name, &err);
		return;
	}
	if (e->rules->type == SOCKET_SEQPACKET) {
		peer.by_record = true;
		peer.max_record = packet_make_room(fd, e->owner->common->max_message);
		peer.reopen = packet_stream_new;
	} else {
		peer.reopen = fd_stream_new;
	}
	peer.stream = peer.reopen(e->loop, fd);
	endpoint_add_client(e, &peer);
}

static void on_refused(void *arg, const struct peer_cred *cred)
{
	char name[CLIENT_NAME_SIZE];
	struct error err;

	client_format_name(name, cred->pid, cred->uid);
	error_set(&err, ERR_DENIED, "refused: not in allow_users or allow_groups");
	endpoint_refuse(arg, name, &err);
}

static void unix_stop_accepting(struct endpoint *e)
{
	listener_stop(of(e)->listener);
}

static void unix_free(struct endpoint *e)
{
	listener_free(of(e)->listener);
	endpoint_deinit(e);
	free(e);
}

static const struct endpoint_ops unix_ops = {
	.stop_accepting = unix_stop_accepting,
	.free = unix_free,
};

struct endpoint *unix_endpoint_new(struct loop *l, const struct endpoint_params *params,
				   struct error *err)
{
	const struct endpoint_conf *conf = params->conf;
	struct listener_params lp = {
		.path = conf->unix_path,
		.seqpacket = conf->rules->type == SOCKET_SEQPACKET,
		.mode = conf->rules->mode,
		.owner = conf->rules->owner,
		.group = conf->rules->group,
		.allow_users = conf->rules->allow_users,
		.n_allow_users = conf->rules->n_allow_users,
		.allow_groups = conf->rules->allow_groups,
		.n_allow_groups = conf->rules->n_allow_groups,
	};
	struct listener *listener = listener_new(l, &lp, err);
	struct unix_endpoint *u;

	if (!listener)
		return NULL;
	u = mem_zalloc(sizeof(*u));
	endpoint_init(&u->base, l, params, &unix_ops);
	u->listener = listener;
	listener_on_refused(listener, on_refused, &u->base);
	listener_start(listener, on_accept, &u->base);
	return &u->base;
}
