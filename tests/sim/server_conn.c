/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a server, from the request to the end of TCP: see server.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "sim/server.h"
#include "sim/trace.h"
#include "ws/close.h"
#include "ws/mask.h"
#include "ws/upgrade.h"

#define QUEUE_MAX ((size_t)64 * 1024 * 1024)

void conn_free(struct conn *c, enum sim_close how)
{
	if (c->feed->conn == c)
		c->feed->conn = NULL;
	list_remove(&c->node);
	sim_event_cancel(&c->think);
	sim_event_cancel(&c->speak);
	sim_event_cancel(&c->late);
	sim_event_cancel(&c->ping);
	sim_event_cancel(&c->fate);
	sim_sock_close(c->sock, how);
	http_head_deinit(&c->head);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	buf_deinit(&c->whole);
	free(c->heard);
	free(c);
}

/* RFC 6455, 7.1.1: the server is the one to close TCP first. Frees it then: the last call. */
void conn_flush(struct conn *c)
{
	struct span bytes = buf_bytes(&c->out);

	if (c->deaf)
		return;
	if (bytes.n > 0)
		buf_consume(&c->out, sim_sock_write(c->sock, bytes));
	if (c->out.len == 0 && c->close_sent && c->close_seen)
		sim_event_in(&c->fate, 0);
}

static void put(struct conn *c, struct span bytes)
{
	bool fits = buf_append(&c->out, bytes);

	assert(fits);
}

void conn_frame(struct conn *c, enum frame_opcode opcode, bool fin, struct span payload)
{
	struct frame_header h = { .fin = fin, .opcode = opcode, .len = payload.n };
	uint8_t head[WS_FRAME_HEADER_MAX];

	put(c, span_of(head, frame_encode(head, &h)));
	put(c, payload);
}

void conn_close(struct conn *c, int code, const char *reason)
{
	uint8_t body[WS_CONTROL_MAX];

	if (c->close_sent)
		return;
	c->close_sent = true;
	c->feed->close_code = code;
	conn_frame(c, FRAME_CLOSE, true, span_of(body, close_encode(body, code, span_str(reason))));
	conn_flush(c);
}

/* What a client must answer with which code (RFC 6455, 7.4.1), and see at once. */
static const struct violation {
	const char *bytes;
	size_t n;
	int code;
} violations[] = {
	{ "\x83\x00", 2, 1002 },				  /* a reserved opcode */
	{ "\xc1\x01x", 3, 1002 },				  /* a reserved bit */
	{ "\x81\x81\0\0\0\0x", 7, 1002 },			  /* masked */
	{ "\x89\x7e\x00\x7e", 4, 1002 },			  /* a long ping */
	{ "\x09\x00", 2, 1002 },				  /* a ping in pieces */
	{ "\x80\x00", 2, 1002 },				  /* continues nothing */
	{ "\x88\x01\x03", 3, 1002 },				  /* half a code */
	{ "\x88\x02\x03\xed", 4, 1002 },			  /* 1005 */
	{ "\x81\x02\xc3\x28", 4, 1007 },			  /* no UTF-8 */
	{ "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, 1009 }, /* nearly 2^63 bytes */
};

void conn_misbehave(struct conn *c)
{
	size_t n = sizeof(violations) / sizeof(*violations);
	const struct violation *v = &violations[sim_below(&c->server->sim->chance, n)];

	if (c->close_sent || c->expect_close)
		return;
	c->blame = "broke the protocol";
	c->expect_close = v->code;
	c->feed->fault_code = v->code;
	trace(c->server->sim, "%s/%u violation %d", c->feed->name, (unsigned)c->serial, v->code);
	put(c, span_of(v->bytes, v->n));
	c->mute = true;
	conn_flush(c);
}

/* The end of a conversation, or what a regime has in store for it. */
static void on_fate(void *arg)
{
	struct conn *c = arg;
	struct sim_rand *r = &c->server->sim->chance;
	int way = (int)sim_below(r, 5);

	if (c->close_sent && c->close_seen && c->out.len == 0) {
		conn_free(c, SIM_FIN);
		return;
	}
	if (c->server->sim->calm)
		return;
	if (c->byzantine || c->server->regime == BYZANTINE) {
		conn_misbehave(c);
		return;
	}
	c->blame = "the server ended it";
	if (way < 3 && c->upgraded) {
		static const int codes[] = { 1000, 1001, 1011, 1012, 1013, 1008, 4000 };

		conn_close(c, codes[sim_below(r, sizeof(codes) / sizeof(*codes))], "so long");
		return;
	}
	conn_free(c, way == 3 ? SIM_RESET : way == 4 ? SIM_SILENT : SIM_FIN);
}

static void refuse(struct conn *c)
{
	struct server *v = c->server;
	mem_auto_str after = NULL;
	mem_auto_str text = NULL;
	char date[64];
	time_t then = time(NULL) + (time_t)v->retry_after;
	struct tm tm;

	if (v->as_date) {
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
		after = mem_printf("Retry-After: %s\r\n", date);
	} else {
		after = mem_printf("Retry-After: %lld\r\n", (long long)v->retry_after);
	}
	text = mem_printf("HTTP/1.1 %d No\r\n%sContent-Length: 3\r\n\r\nno\n", v->status,
			  v->retry_after >= 0 ? after : "");
	c->refused = true;
	c->feed->refusal.status = v->status;
	c->feed->refusal.retry_after = v->retry_after >= 0 ? v->retry_after * SECOND : -1;
	c->feed->refusal.date = v->as_date && v->retry_after >= 0 ?
					world_now(v->sim) + v->retry_after * SECOND :
					0;
	put(c, span_str(text));
}

static void upgrade(struct conn *c)
{
	struct sim *s = c->server->sim;
	char accept[UPGRADE_ACCEPT_LEN + 1];
	mem_auto_str text = NULL;
	struct span key;
	size_t i = 0;

	if (!http_head_find(&c->head, "Sec-WebSocket-Key", &i, &key))
		trace_fail(s, "%s: a request without a key", c->feed->name);
	upgrade_accept(accept, key);
	text = mem_printf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			  accept);
	put(c, span_str(text));
	c->upgraded = true;
	c->serial = ++c->feed->serial;
	c->feed->conn = c;
	trace(s, "%s/%u upgraded", c->feed->name, (unsigned)c->serial);
	talk_begin(c);
}

/* The server has made up its mind about the request. */
static void on_think(void *arg)
{
	struct conn *c = arg;
	struct sim_rand *r = &c->server->sim->chance;

	if (c->server->regime == SAYS_NO) {
		refuse(c);
		conn_flush(c);
		return;
	}
	if (c->server->regime == HANGS_UP && sim_chance(r, 30)) {
		conn_free(c, sim_chance(r, 50) ? SIM_FIN : SIM_RESET);
		return;
	}
	upgrade(c);
	if (c->server->regime == HANGS_UP)
		sim_event_in(&c->fate, sim_below(r, 2) ? 0 : sim_spread(r, 1000, SECOND));
	if (c->server->regime == FLAPPY || c->server->regime == BYZANTINE)
		sim_event_in(&c->fate, sim_spread(r, 50000, 40 * SECOND));
	conn_flush(c);
}

static void take_request(struct conn *c)
{
	struct span all = sim_sock_waiting(c->sock), input = all;
	struct sim *s = c->server->sim;
	struct error err;

	switch (http_head_feed(&c->head, &input, &err)) {
	case HTTP_HEAD_MORE:
		sim_sock_consume(c->sock, all.n);
		return;
	case HTTP_HEAD_BAD:
		trace_fail(s, "%s: a bad request: %s", c->feed->name, err.text);
	case HTTP_HEAD_DONE:
		break;
	}
	sim_sock_consume(c->sock, all.n - input.n);
	c->asked = true;
	sim_event_in(&c->think, sim_spread(&s->net, 50, 500000));
}

/* False: there is no whole frame. */
static bool take_frame(struct conn *c)
{
	struct span all = buf_bytes(&c->in), rest = all;
	struct frame_decoder decoder;
	struct frame_header h;
	const char *why = NULL;
	enum frame_result result;
	uint8_t *payload;

	frame_decoder_init(&decoder, FRAME_FROM_CLIENT);
	result = frame_decode(&decoder, &rest, &h, &why);
	if (result == FRAME_BAD)
		trace_fail(c->server->sim, "%s: the client broke the protocol: %s", c->feed->name,
			   why);
	if (result == FRAME_MORE || rest.n < h.len)
		return false;
	if (c->close_seen && !frame_is_control(h.opcode))
		trace_fail(c->server->sim, "%s: data after a Close (RFC 6455, 5.5.1)",
			   c->feed->name);
	payload = mem_alloc(h.len + 1);
	mask_copy(payload, span_of(rest.p, h.len), h.key, 0);
	buf_consume(&c->in, all.n - rest.n + h.len);
	talk_hear(c, &h, span_of(payload, h.len));
	free(payload);
	return c->in.len > 0;
}

static void take_frames(struct conn *c)
{
	struct span bytes = sim_sock_waiting(c->sock);
	bool fits = buf_append(&c->in, bytes);

	assert(fits);
	sim_sock_consume(c->sock, bytes.n);
	while (take_frame(c))
		;
	conn_flush(c);
}

/* Bytes, room, or the end: of the connection, or of what the client sends. */
static void on_changed(void *arg)
{
	struct conn *c = arg;

	if (c->deaf)
		return;
	if (!c->asked && sim_sock_waiting(c->sock).n > 0)
		take_request(c);
	if (c->upgraded && sim_sock_waiting(c->sock).n > 0)
		take_frames(c);
	if (c->sock->dead || (c->sock->eof && sim_sock_waiting(c->sock).n == 0)) {
		conn_free(c, SIM_FIN);
		return;
	}
	conn_flush(c);
	if (c->refused && c->out.len == 0)
		sim_sock_shutdown(c->sock);
}

void conn_wake(struct conn *c)
{
	c->deaf = c->mute = c->no_pongs = false;
	c->quiet_since = 0;
	c->blame = c->expect_close || c->close_sent ? c->blame : "it was silent for a time";
	sim_sock_wake(c->sock);
	if (c->ready)
		talk_schedule(c);
}

void conn_accept(struct server *v, struct feed *f, struct sim_sock *sock)
{
	struct conn *c = mem_zalloc(sizeof(*c));
	enum regime regime = v->regime;

	c->server = v;
	c->feed = f;
	c->sock = sock;
	c->born = world_now(v->sim);
	http_head_init_request(&c->head);
	buf_init(&c->in, QUEUE_MAX);
	buf_init(&c->out, QUEUE_MAX);
	buf_init(&c->whole, QUEUE_MAX);
	sim_event_init(&c->think, v->sim->loop, on_think, c);
	sim_event_init(&c->speak, v->sim->loop, talk_speak, c);
	sim_event_init(&c->late, v->sim->loop, talk_late, c);
	sim_event_init(&c->ping, v->sim->loop, talk_ping, c);
	sim_event_init(&c->fate, v->sim->loop, on_fate, c);
	list_append(&v->conns, &c->node);
	c->deaf = regime == FROZEN;
	c->mute = regime == FROZEN || regime == MUTE;
	c->no_pongs = c->mute || regime == NO_PONGS;
	c->quiet_since = c->mute ? c->born : 0;
	if (regime != GOOD)
		c->blame = regime_name(regime);
	sock->changed = on_changed;
	sock->arg = c;
}
