/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The echo server: connections, deadlines, signals. It owns its clients; each
 * client owns a stream and a conversation. The trap: a stream and its timers
 * may not go while one of their events is under way, so a client's memory
 * is given back at the end of the turn.
 */
#include "tool/echo.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/stream.h"
#include "tool/echo_conn.h"
#include "tool/tcp_listen.h"
#include "ws/close.h"

#define CLIENTS_MAX 1024
#define HANDSHAKE_TIMEOUT INT64_C(10000000)
#define CLOSE_TIMEOUT INT64_C(5000000)
#define SHUTDOWN_TIMEOUT INT64_C(2000000)

struct echo {
	struct loop *loop;
	struct tcp_listener *listener;
	struct list clients;
	size_t n_clients;
	bool ending;
	struct timer end; /* of the orderly end */
};

struct client {
	struct list node; /* in echo.clients */
	struct echo *echo;
	struct stream *stream; /* NULL: it is gone, and its memory goes at the end of the turn */
	struct echo_conn *conn;
	bool shut;	       /* we have ended our side */
	bool eof;	       /* the client has ended its side */
	struct timer deadline; /* handshake, or closing */
	struct timer tick;
	struct deferred freeing;
};

static void on_accept(void *arg, int fd);

static void free_client(void *arg)
{
	free(arg);
}

static void end_client(struct client *c)
{
	struct echo *e = c->echo;

	if (!c->stream)
		return;
	list_remove(&c->node);
	timer_deinit(&c->deadline);
	timer_deinit(&c->tick);
	stream_free(c->stream);
	c->stream = NULL;
	echo_conn_free(c->conn);
	loop_defer(e->loop, &c->freeing);
	if (e->n_clients-- == CLIENTS_MAX && !e->ending)
		tcp_listener_start(e->listener, on_accept, e);
	if (e->ending && e->n_clients == 0)
		loop_stop(e->loop);
}

static void on_deadline(void *arg)
{
	end_client(arg);
}

/* Writes what waits; false: it did not all fit. */
static bool flush(struct client *c)
{
	struct buf *output = echo_conn_output(c->conn);
	struct span s = buf_bytes(output);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };

	if (s.n > 0)
		buf_consume(output, stream_offer(c->stream, &iov, 1));
	return output->len == 0;
}

/*
 * After everything that happened to a client: write, stop or go on reading,
 * and end what is over. Our side ends first, so that the client gets to read
 * our Close although it may still be writing (RFC 6455, 7.1.1).
 */
static void settle(struct client *c)
{
	enum echo_phase phase = echo_conn_phase(c->conn);
	bool flushed = flush(c);

	if (echo_conn_is_full(c->conn))
		stream_pause(c->stream);
	else if (!c->eof)
		stream_resume(c->stream);
	if (phase >= ECHO_CLOSING && !timer_is_armed(&c->deadline))
		timer_arm(&c->deadline, CLOSE_TIMEOUT);
	if (phase == ECHO_OVER && flushed && !c->shut) {
		c->shut = true;
		stream_shutdown(c->stream);
	}
	if (c->eof && flushed)
		end_client(c);
}

static void on_tick(void *arg)
{
	struct client *c = arg;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	echo_conn_tick(c->conn, (double)now.tv_sec + (double)now.tv_nsec / 1e9);
	if (echo_conn_interval(c->conn) > 0)
		timer_arm(&c->tick, echo_conn_interval(c->conn));
	settle(c);
}

static void on_data(struct client *c, struct span data)
{
	bool fresh = echo_conn_phase(c->conn) == ECHO_HANDSHAKE;

	echo_conn_feed(c->conn, data);
	if (fresh && echo_conn_phase(c->conn) != ECHO_HANDSHAKE)
		timer_disarm(&c->deadline);
	settle(c);
	if (fresh && c->stream && echo_conn_interval(c->conn) > 0)
		on_tick(c);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct client *c = arg;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		on_data(c, data);
		break;
	case STREAM_WRITABLE:
		settle(c);
		break;
	case STREAM_EOF:
		c->eof = true;
		settle(c);
		break;
	case STREAM_FAILED:
		end_client(c);
		break;
	}
}

static void on_accept(void *arg, int fd)
{
	struct echo *e = arg;
	struct client *c = mem_zalloc(sizeof(*c));

	c->echo = e;
	c->conn = echo_conn_new();
	c->stream = fd_stream_new(e->loop, fd);
	deferred_init(&c->freeing, free_client, c);
	timer_init(&c->deadline, e->loop, on_deadline, c);
	timer_init(&c->tick, e->loop, on_tick, c);
	timer_arm(&c->deadline, HANDSHAKE_TIMEOUT);
	list_append(&e->clients, &c->node);
	if (++e->n_clients == CLIENTS_MAX)
		tcp_listener_pause(e->listener);
	stream_attach(c->stream, on_stream, c);
}

static void end_all(void *arg)
{
	struct echo *e = arg;

	list_each(it, next, &e->clients)
		end_client(list_entry(it, struct client, node));
	loop_stop(e->loop);
}

/* The first signal closes politely, a second one at once. */
static void on_signal(void *arg)
{
	struct echo *e = arg;

	if (e->ending || e->n_clients == 0) {
		end_all(e);
		return;
	}
	e->ending = true;
	tcp_listener_pause(e->listener);
	timer_arm(&e->end, SHUTDOWN_TIMEOUT);
	list_each(it, next, &e->clients) {
		struct client *c = list_entry(it, struct client, node);

		echo_conn_close(c->conn, CLOSE_GOING_AWAY, span_str("the server ends"));
		settle(c);
	}
}

static void announce(const struct tcp_listener *listener, FILE *out)
{
	mem_auto_str address = tcp_listener_address(listener);

	fprintf(out, "listening on ws://%s/\n", address);
	fflush(out);
}

bool echo_run(const char *address, FILE *out, struct error *err)
{
	struct echo e = { .loop = loop_new() };
	bool good;

	list_init(&e.clients);
	timer_init(&e.end, e.loop, end_all, &e);
	loop_on_signal(e.loop, SIGINT, on_signal, &e);
	loop_on_signal(e.loop, SIGTERM, on_signal, &e);
	e.listener = tcp_listener_new(e.loop, address, err);
	good = e.listener != NULL;
	if (good) {
		tcp_listener_start(e.listener, on_accept, &e);
		announce(e.listener, out);
		loop_run(e.loop);
	}
	tcp_listener_free(e.listener);
	timer_deinit(&e.end);
	loop_free(e.loop);
	return good;
}
