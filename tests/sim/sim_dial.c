/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sim_dial.h. The server has its end from the moment the connection
 * stands, the process learns of it in its next turn: one that is stalled, or
 * cancels meanwhile, leaves the server with a connection that says nothing.
 */
#include "sim/sim_dial.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/dialer_int.h"
#include "net/stream.h"
#include "net/tls_memory.h"
#include "sim/sim_fd.h"
#include "sim/sim_loop_int.h"

struct dial {
	struct list node;
	struct loop *loop;
	dial_cb cb;
	void *arg;
	char host[80];
	bool tls;
	int64_t began, connect_timeout;
	struct sim_verdict verdict;
	struct sim_sock *sock;
	struct sim_event settle; /* of the world */
	struct deferred report;	 /* of the process */
	struct timer too_long;	 /* connect_timeout */
	struct dialer_tls place; /* of the handshake */
	bool shaking;
	struct dial_report told;
};

static struct sim_net *net;
static struct list dials = { &dials, &dials };

void sim_net_set(struct sim_net *n)
{
	net = n;
}

size_t sim_dials_live(void)
{
	size_t n = 0;

	list_each(it, next, &dials)
		n++;
	return n;
}

size_t sim_dials_with_tag(unsigned tag)
{
	size_t n = 0;

	list_each(it, next, &dials)
		n += list_entry(it, struct dial, node)->verdict.tag == tag;
	return n;
}

void dial_cancel(struct dial *d)
{
	if (!d)
		return;
	list_remove(&d->node);
	sim_event_cancel(&d->settle);
	deferred_cancel(&d->report);
	timer_deinit(&d->too_long);
	dialer_tls_deinit(&d->place);
	if (d->sock)
		sim_sock_close(d->sock, SIM_FIN);
	free(d);
}

static void fail_text(struct dial *d, struct error *err)
{
	switch (d->verdict.fate) {
	case SIM_CONNECTS:
	case SIM_HANGS:
		error_set(err, ERR_TIMEOUT, "connect to %s: timed out", d->host);
		err->stage = STAGE_CONNECT;
		break;
	case SIM_REFUSED:
		error_set(err, ERR_CONNECT, "connect to %s: Connection refused", d->host);
		err->stage = STAGE_CONNECT;
		break;
	case SIM_UNRESOLVED:
		error_set(err, ERR_ADDRESS, "%s: no such name", d->host);
		err->stage = STAGE_RESOLVE;
		break;
	case SIM_TLS_FAILS:
		error_set(err, ERR_TLS, "TLS with %s: the certificate has expired", d->host);
		err->stage = STAGE_TLS;
		break;
	}
}

static void finish(struct dial *d, const struct error *err)
{
	struct sim_sock *sock = d->sock;
	struct stream *stream = NULL;

	d->sock = NULL;
	if (!err) {
		stream = fd_stream_new(d->loop, sim_fd_new(sock));
		d->told.peer = "192.0.2.1:443";
	}
	d->told.took[STAGE_CONNECT] = loop_now(d->loop) - d->began;
	d->cb(d->arg, stream, &d->told, err);
	dial_cancel(d);
}

static void settle(struct dial *d)
{
	struct error err;

	if (d->verdict.fate == SIM_CONNECTS) {
		finish(d, NULL);
		return;
	}
	fail_text(d, &err);
	finish(d, &err);
}

static void on_place(void *arg)
{
	struct dial *d = arg;

	sim_event_in(&d->settle, d->verdict.tls);
}

/* The handshake has a place of its own, and is the last thing to settle. */
static void on_report(void *arg)
{
	struct dial *d = arg;
	bool has_server = d->verdict.fate == SIM_CONNECTS || d->verdict.fate == SIM_TLS_FAILS;

	if (!d->tls || d->shaking || !has_server) {
		settle(d);
		return;
	}
	timer_disarm(&d->too_long);
	d->shaking = true;
	if (dialer_tls_enter(&d->place))
		on_place(d);
}

static void on_too_long(void *arg)
{
	struct dial *d = arg;
	struct error err;

	error_set(&err, ERR_TIMEOUT, "connect to %s: timed out", d->host);
	err.stage = STAGE_CONNECT;
	finish(d, &err);
}

static void on_settle(void *arg)
{
	struct dial *d = arg;

	if (d->verdict.fate == SIM_CONNECTS && !d->sock) {
		d->sock = sim_sock_pair(d->loop, net->rand, &d->verdict.path);
		d->sock->tag = d->verdict.tag;
		net->accepted(net, d->host, d->sock->peer);
	}
	loop_defer(d->loop, &d->report);
}

struct dial *dial_start(struct dialer *dialer, const struct dial_params *params, dial_cb cb,
			void *arg)
{
	struct dial *d = mem_zalloc(sizeof(*d));

	d->loop = sim_loop_current();
	d->cb = cb;
	d->arg = arg;
	d->tls = params->tls != NULL;
	d->began = loop_now(d->loop);
	snprintf(d->host, sizeof(d->host), "%s", params->host);
	d->told.peer = "";
	for (size_t i = 0; i <= STAGE_OPEN; i++)
		d->told.took[i] = -1;
	net->dialed(net, params, &d->verdict);
	sim_event_init(&d->settle, d->loop, on_settle, d);
	deferred_init(&d->report, on_report, d);
	timer_init(&d->too_long, d->loop, on_too_long, d);
	dialer_tls_init(&d->place, dialer, on_place, d);
	if (d->verdict.fate != SIM_HANGS)
		sim_event_in(&d->settle, d->verdict.delay);
	else if (params->connect_timeout > 0)
		timer_arm(&d->too_long, params->connect_timeout);
	list_append(&dials, &d->node);
	return d;
}

const struct dial_report *dial_report(struct dial *d)
{
	return &d->told;
}

/* Nothing is behind it here. */
struct dial_report *dial_report_copy(const struct dial_report *report)
{
	struct dial_report *copy = mem_alloc(sizeof(*copy));

	*copy = *report;
	return copy;
}

bool dial_timed_out(const struct dial *d, struct error *err)
{
	error_set(err, ERR_TIMEOUT, "connect to %s: not done in time", d->host);
	err->stage = STAGE_CONNECT;
	return false;
}

/* OpenSSL's own memory is none of ours, and not to be counted as such. */
void tls_memory_init(void)
{
}
