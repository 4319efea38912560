/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One attempt to reach a server, step by step: see dial.h. Each step is an
 * object of its own that reports once; what is under way is one of them, and
 * every way out leads through finish(). Its trap: an object is gone once it has
 * reported, so its pointer is cleared first of all.
 */
#include "net/dial.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "net/dial_own.h"
#include "net/dial_step.h"
#include "net/dialer_int.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"
#include "net/unix_connect.h"

struct dial {
	struct dialer *dialer;
	struct loop *loop;
	struct dial_own own;
	dial_cb cb;
	void *arg;
	enum dial_step step;
	int64_t step_began;
	struct resolve *resolve;
	struct happy *happy;
	struct dialer_tls place; /* of the handshake */
	struct stream *unshaken; /* waits for its place */
	struct tls_handshake *handshake;
	struct proxy *talk;
	struct proxy_memory *memory;
	struct addrinfo *targets, *list;
	struct timer names_due;
	struct deferred unix_begin;
	struct dial_report report;
	struct happy_try *tries; /* the report's */
};

static void account(struct dial *d)
{
	int64_t now = loop_now(d->loop);
	int64_t *took = &d->report.took[dial_step_stage(d->step)];

	*took = (*took < 0 ? 0 : *took) + now - d->step_began;
	d->step_began = now;
}

static void enter(struct dial *d, enum dial_step step)
{
	account(d);
	d->step = step;
}

static void drop_lists(struct dial *d)
{
	if (d->targets)
		freeaddrinfo(d->targets);
	if (d->list)
		freeaddrinfo(d->list);
	d->targets = d->list = NULL;
}

void dial_cancel(struct dial *d)
{
	if (!d)
		return;
	resolve_cancel(d->resolve);
	happy_cancel(d->happy);
	dialer_tls_deinit(&d->place);
	stream_free(d->unshaken);
	tls_cancel(d->handshake);
	proxy_cancel(d->talk);
	proxy_memory_free(d->memory);
	timer_deinit(&d->names_due);
	deferred_cancel(&d->unix_begin);
	drop_lists(d);
	dial_own_deinit(&d->own);
	free(d->tries);
	loop_tidy_later(d->loop);
	free(d);
}

static void finish(struct dial *d, struct stream *stream, const struct error *err)
{
	account(d);
	d->report.tls = d->own.params.tls ? tls_stream_info(stream) : NULL;
	if (!stream)
		d->report.proxy_tls = NULL; /* gone with the stream */
	d->cb(d->arg, stream, &d->report, err);
	dial_cancel(d);
}

static void fail(struct dial *d, const struct error *cause)
{
	struct error err = *cause;

	dial_step_context(&d->own.params, d->step, &err);
	finish(d, NULL, &err);
}

static void begin_connect(struct dial *d);
static void begin_proxy(struct dial *d, struct stream *stream);

static void on_tls(void *arg, struct stream *stream, const struct error *err)
{
	struct dial *d = arg;

	d->handshake = NULL;
	dialer_tls_leave(&d->place);
	if (!stream) {
		fail(d, err);
	} else if (d->step == DIAL_PROXY_TLS) {
		d->report.proxy_tls = tls_stream_info(stream);
		begin_proxy(d, stream);
	} else {
		finish(d, stream, NULL);
	}
}

/* It has its place. */
static void on_place(void *arg)
{
	struct dial *d = arg;
	const struct dial_params *p = &d->own.params;
	struct stream *stream = d->unshaken;
	struct tls_start start = {
		.server_name = dial_server_name(p, d->step),
		.cb = on_tls,
		.arg = d,
	};

	d->unshaken = NULL;
	d->handshake = tls_start(d->loop, stream,
				 d->step == DIAL_PROXY_TLS ? p->proxy->tls : p->tls, &start);
}

static void begin_handshake(struct dial *d, struct stream *stream, enum dial_step step)
{
	enter(d, step);
	d->unshaken = stream;
	if (dialer_tls_enter(&d->place))
		on_place(d);
}

/* The way to the server is free. */
static void begin_tls(struct dial *d, struct stream *stream)
{
	if (d->own.params.tls)
		begin_handshake(d, stream, DIAL_TLS);
	else
		finish(d, stream, NULL);
}

static void on_proxy(void *arg, struct stream *stream, bool again, const struct error *err)
{
	struct dial *d = arg;

	d->talk = NULL;
	if (stream) {
		begin_tls(d, stream);
	} else if (again) { /* proxy.h bounds how often */
		begin_connect(d);
	} else {
		fail(d, err);
	}
}

/* Of the target's addresses the proxy gets one, and another one at the next attempt. */
static const struct sockaddr *target_address(const struct dial *d)
{
	const struct addrinfo *order[HAPPY_MAX];

	return happy_order(d->targets, AF_UNSPEC, d->own.params.attempt, order) ?
		       order[0]->ai_addr :
		       NULL;
}

static void begin_proxy(struct dial *d, struct stream *stream)
{
	const struct dial_params *p = &d->own.params;
	struct proxy_params params = {
		.kind = p->proxy->kind,
		.user = p->proxy->user,
		.password = p->proxy->password,
		.user_agent = p->user_agent,
		.rand = p->rand,
		.memory = d->memory,
		.target = { .host = dial_target_host(p),
			    .port = dial_target_port(p),
			    .address = target_address(d) },
	};

	enter(d, DIAL_PROXY);
	d->talk = proxy_start(d->loop, stream, &params, on_proxy, d);
}

static void connected(struct dial *d, struct stream *stream)
{
	const struct dial_proxy *proxy = d->own.params.proxy;

	if (!proxy)
		begin_tls(d, stream);
	else if (proxy->kind == PROXY_HTTPS)
		begin_handshake(d, stream, DIAL_PROXY_TLS);
	else
		begin_proxy(d, stream);
}

/* With their addresses. */
static size_t size_of_tries(const struct happy_try *tries, size_t n)
{
	size_t size = n * sizeof(*tries);

	for (size_t i = 0; i < n; i++)
		size += strlen(tries[i].address) + 1;
	return size;
}

static void copy_tries(struct happy_try *to, const struct happy_try *from, size_t n)
{
	char *address = (char *)(to + n);

	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(from[i].address) + 1;

		to[i] = from[i];
		to[i].address = memcpy(address, from[i].address, size);
		address += size;
	}
}

static void note_tries(struct dial *d, const struct happy_try *tries, size_t n)
{
	free(d->tries);
	d->tries = mem_alloc(size_of_tries(tries, n));
	copy_tries(d->tries, tries, n);
	d->report.tries = d->tries;
	d->report.n_tries = n;
	d->report.peer = "";
	for (size_t i = 0; i < n; i++)
		if (tries[i].os == 0)
			d->report.peer = d->tries[i].address;
}

static void on_happy(void *arg, struct stream *stream, const struct happy_try *tries, size_t n,
		     const struct error *err)
{
	struct dial *d = arg;

	d->happy = NULL;
	note_tries(d, tries, n);
	if (stream)
		connected(d, stream);
	else
		fail(d, err);
}

static void begin_connect(struct dial *d)
{
	struct happy_params params = {
		.list = d->list,
		.rotate = d->own.params.attempt,
		.socket = &d->own.params.socket,
		.timeout = d->own.params.connect_timeout,
	};

	enter(d, DIAL_CONNECT);
	d->happy = happy_start(d->loop, &params, on_happy, d);
}

/* Unix sockets have no race, but count as one address that was tried. */
static void on_unix_begin(void *arg)
{
	struct dial *d = arg;
	mem_auto_str address = mem_printf("unix:%s", d->own.params.unix_path);
	struct happy_try try = { .address = address, .began = d->step_began };
	struct error err = ERROR_INIT;
	int fd = unix_connect(d->own.params.unix_path, &err);

	try.took = loop_now(d->loop) - try.began;
	try.os = err.os ? err.os : fd < 0 ? EINVAL : 0;
	note_tries(d, &try, 1);
	if (fd < 0) {
		fail(d, &err);
		return;
	}
	connected(d, fd_stream_new(d->loop, fd));
}

static void on_resolved(void *arg, struct addrinfo *list, const struct error *err);

static void begin_resolve(struct dial *d)
{
	const struct dial_params *p = &d->own.params;
	struct resolve_query query = {
		.host = dial_resolve_host(p, DIAL_RESOLVE),
		.port = p->proxy ? p->proxy->port : dial_target_port(p),
		.family = socket_params_family(&p->socket),
	};

	enter(d, DIAL_RESOLVE);
	d->resolve = resolve_start(d->dialer->resolver, &query, on_resolved, d);
}

/* SOCKS4 has room for IPv4 only; a bind address says nothing about the far side of a proxy. */
static int target_family(const struct dial *d)
{
	struct socket_params unbound = { .family = d->own.params.socket.family };

	return d->own.params.proxy->kind == PROXY_SOCKS4 ? AF_INET : socket_params_family(&unbound);
}

static void begin_resolve_target(struct dial *d)
{
	struct resolve_query query = {
		.host = dial_target_host(&d->own.params),
		.port = dial_target_port(&d->own.params),
		.family = target_family(d),
	};

	enter(d, DIAL_RESOLVE_TARGET);
	d->resolve = resolve_start(d->dialer->resolver, &query, on_resolved, d);
}

static void on_resolved(void *arg, struct addrinfo *list, const struct error *err)
{
	struct dial *d = arg;

	d->resolve = NULL;
	if (!list) {
		fail(d, err);
	} else if (d->step == DIAL_RESOLVE_TARGET) {
		d->targets = list;
		begin_resolve(d);
	} else {
		timer_disarm(&d->names_due);
		d->list = list;
		begin_connect(d);
	}
}

static void on_names_due(void *arg)
{
	struct dial *d = arg;
	const struct dial_params *p = &d->own.params;
	struct error err = ERROR_INIT;

	error_set(&err, ERR_ADDRESS, "resolve %s: no answer within %g s",
		  dial_resolve_host(p, d->step), (double)p->resolve_timeout / 1e6);
	err.os = ETIMEDOUT;
	fail(d, &err);
}

static void begin(struct dial *d)
{
	const struct dial_params *p = &d->own.params;

	if (p->unix_path) {
		d->step = DIAL_CONNECT;
		loop_defer(d->loop, &d->unix_begin);
		return;
	}
	if (p->resolve_timeout)
		timer_arm(&d->names_due, p->resolve_timeout);
	if (p->proxy)
		d->memory = proxy_memory_new();
	if (p->proxy && proxy_wants_address(p->proxy->kind))
		begin_resolve_target(d);
	else
		begin_resolve(d);
}

struct dial *dial_start(struct dialer *dialer, const struct dial_params *params, dial_cb cb,
			void *arg)
{
	struct dial *d = mem_zalloc(sizeof(*d));

	d->dialer = dialer;
	d->loop = dialer->loop;
	d->cb = cb;
	d->arg = arg;
	d->step_began = loop_now(d->loop);
	d->report.peer = "";
	for (size_t i = 0; i < sizeof(d->report.took) / sizeof(d->report.took[0]); i++)
		d->report.took[i] = -1;
	dial_own_init(&d->own, params);
	timer_init(&d->names_due, d->loop, on_names_due, d);
	dialer_tls_init(&d->place, dialer, on_place, d);
	deferred_init(&d->unix_begin, on_unix_begin, d);
	begin(d);
	return d;
}

const struct dial_report *dial_report(struct dial *d)
{
	const struct happy_try *tries;
	size_t n;

	account(d);
	if (d->happy) {
		tries = happy_tries(d->happy, &n);
		note_tries(d, tries, n);
	}
	return &d->report;
}

/* The winner is one of those that were tried. */
static const char *peer_in(const struct happy_try *tries, const struct dial_report *report)
{
	for (size_t i = 0; i < report->n_tries; i++)
		if (report->peer == report->tries[i].address)
			return tries[i].address;
	return "";
}

struct dial_report *dial_report_copy(const struct dial_report *report)
{
	size_t tries = size_of_tries(report->tries, report->n_tries);
	struct dial_report *copy = mem_alloc(sizeof(*copy) + tries);
	struct happy_try *copied = (struct happy_try *)(void *)(copy + 1);

	*copy = *report;
	copy_tries(copied, report->tries, report->n_tries);
	copy->tries = copied;
	copy->peer = peer_in(copied, report);
	return copy;
}

bool dial_timed_out(const struct dial *d, struct error *err)
{
	dial_step_timed_out(&d->own.params, d->step, err);
	if (d->unshaken) {
		error_set(err, ERR_TIMEOUT, "waited for its turn (limits.tls_handshakes)");
		dial_step_context(&d->own.params, d->step, err);
	}
	return false;
}
