/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection says and hears after the handshake: the dialogue, stamped
 * messages, pings, heartbeats. The client's answers are checked: the right
 * pong, the right code after a violation, nothing before the dialogue is over.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "sim/inbox.h"
#include "sim/operator.h"
#include "sim/server.h"
#include "sim/stamp.h"
#include "sim/trace.h"
#include "ws/close.h"

/* So much waits that the server says nothing more until some of it has left. */
#define BACKLOG ((size_t)64 * 1024)

/* What plan.c lets a login wait for it. */
#define CHALLENGE_WAIT (5 * SECOND)

static bool is_text(struct span payload, const char *text)
{
	return span_equal(payload, span_str(text));
}

static void say(struct conn *c, const char *text)
{
	conn_frame(c, FRAME_TEXT, true, span_str(text));
}

/* Until the next message, which now and then comes a moment too late for idle_timeout. */
static int64_t pause_of(struct conn *c)
{
	struct feed *f = c->feed;
	struct sim *s = f->sim;
	int64_t limit = s->calm ? 0 : f->conf->common->idle_timeout;

	if (limit == 0 || f->talk.every_min < SECOND || sim_below(&s->chance, 40) > 0)
		return sim_spread(&s->load, f->talk.every_min, f->talk.every_max);
	sim_event_in(&c->late, limit + (int64_t)sim_below(&s->chance, 400000));
	return limit + SECOND;
}

void talk_schedule(struct conn *c)
{
	struct sim_rand *r = &c->feed->sim->load;

	if (!sim_event_is_planned(&c->speak))
		sim_event_in(&c->speak, pause_of(c));
	if (!sim_event_is_planned(&c->ping))
		sim_event_in(&c->ping, sim_spread(r, SECOND, 100 * SECOND));
}

static void get_ready(struct conn *c)
{
	c->ready = true;
	c->said = c->said_before = world_now(c->server->sim);
	talk_schedule(c);
}

static void challenge(struct conn *c)
{
	mem_auto_str text = mem_printf("{\"challenge\":{\"nonce\":\"n%u\"}}", (unsigned)c->serial);

	say(c, text);
}

/*
 * Two bad moments. What a login waits for comes when it has just failed. idle_timeout has struck,
 * it looks into its buffers once more, and the process is stopped.
 */
void talk_late(void *arg)
{
	struct conn *c = arg;

	if (c->ready) {
		operator_stall(c->server->sim, 10 * SECOND);
	} else if (!c->mute && !c->close_sent) {
		challenge(c);
		conn_flush(c);
	}
}

void talk_begin(struct conn *c)
{
	struct sim *s = c->server->sim;

	switch (c->feed->dialogue) {
	case DIALOGUE_NONE:
		get_ready(c);
		break;
	case DIALOGUE_CHALLENGE:
		if (!s->calm && sim_chance(&s->chance, 5))
			sim_event_in(&c->late,
				     CHALLENGE_WAIT + sim_spread(&s->chance, 100, 100000));
		else if (!c->mute)
			challenge(c);
		break;
	case DIALOGUE_HELLO:
	case DIALOGUE_N:
		break;
	}
}

static void expect(struct conn *c, struct span payload, const char *text)
{
	if (!is_text(payload, text))
		trace_fail(c->server->sim, "%s: in step %u of the dialogue \"%.*s\", not \"%s\"",
			   c->feed->name, c->talked, (int)(payload.n < 60 ? payload.n : 60),
			   (const char *)payload.p, text);
	c->talked++;
}

static void hear_dialogue(struct conn *c, struct span payload)
{
	mem_auto_str answer = NULL;

	if (c->feed->dialogue == DIALOGUE_HELLO) {
		expect(c, payload, "hello");
		get_ready(c);
		return;
	}
	if (c->talked == 1) {
		expect(c, payload, "subscribe");
		get_ready(c);
		return;
	}
	answer = mem_printf("{\"auth\":\"n%u\"}", (unsigned)c->serial);
	expect(c, payload, answer);
	say(c, "{\"ok\":true}");
}

/* Pings have numbers: a client may answer the newest only. */
static void put_ping(struct conn *c)
{
	char payload[24];

	snprintf(payload, sizeof(payload), "p%llu", (unsigned long long)++c->ping_number);
	if (!c->pinged)
		c->pinged = world_now(c->server->sim);
	conn_frame(c, FRAME_PING, true, span_str(payload));
}

static void say_in_pieces(struct conn *c, enum frame_opcode opcode, struct span all)
{
	struct sim_rand *r = &c->server->sim->load;
	bool first = true;

	while (all.n > 0 || first) {
		size_t n = all.n ? 1 + sim_below(r, all.n) : 0;

		conn_frame(c, first ? opcode : FRAME_CONTINUATION, n == all.n, span_of(all.p, n));
		first = false;
		all = span_skip(all, n);
		if (all.n > 0 && sim_chance(r, 20))
			put_ping(c);
	}
}

static void note_said(struct conn *c)
{
	int64_t now = world_now(c->server->sim);

	if (now - c->said > 2 * SECOND)
		c->said_before = c->said;
	c->said = now;
}

static void say_stamped(struct conn *c, const char *extra, size_t padding)
{
	struct feed *f = c->feed;
	struct sim_rand *r = &f->sim->load;
	struct stamp st = { c->serial, ++c->sent };
	mem_auto_str text = stamp_write('c', st, extra, padding);
	enum frame_opcode opcode = sim_chance(r, f->talk.binary) ? FRAME_BINARY : FRAME_TEXT;

	note_said(c);
	f->sim->messages++;
	if (sim_chance(r, f->talk.split))
		say_in_pieces(c, opcode, span_str(text));
	else
		conn_frame(c, opcode, true, span_str(text));
}

void talk_speak(void *arg)
{
	struct conn *c = arg;
	struct feed *f = c->feed;
	struct sim_rand *r = &f->sim->load;
	size_t burst = sim_chance(r, 10) ? 1 + sim_below(r, 20) : 1;

	if (c->mute || c->close_sent || c->expect_close)
		return;
	for (; burst > 0 && c->out.len < BACKLOG; burst--) {
		size_t most = sim_chance(r, f->talk.big) ? f->talk.size_max * 20 : f->talk.size_max;

		say_stamped(c, "", sim_below(r, most));
	}
	conn_flush(c);
	talk_schedule(c);
}

void talk_ping(void *arg)
{
	struct conn *c = arg;

	if (c->mute || c->close_sent || c->expect_close)
		return;
	put_ping(c);
	conn_flush(c);
	talk_schedule(c);
}

static void hear_pong(struct conn *c, struct span payload)
{
	unsigned long long n = 0;

	if (payload.n == 0 || payload.p[0] != 'p')
		return;
	for (size_t i = 1; i < payload.n; i++)
		n = n * 10 + (unsigned)(payload.p[i] - '0');
	if (n > c->ping_number || n <= c->pong_number)
		trace_fail(c->server->sim, "%s: pong %llu after %llu, last ping %llu",
			   c->feed->name, n, (unsigned long long)c->pong_number,
			   (unsigned long long)c->ping_number);
	c->pong_number = n;
	if (n == c->ping_number)
		c->pinged = 0;
}

static void hear_close(struct conn *c, struct span payload)
{
	int code = payload.n >= 2 ? payload.p[0] << 8 | payload.p[1] : CLOSE_NONE;

	if (c->expect_close && code != c->expect_close && !c->feed->excused)
		trace_fail(c->server->sim, "%s: closed with %d after a violation, not %d",
			   c->feed->name, code, c->expect_close);
	c->close_seen = true;
	trace(c->server->sim, "%s/%u hears close %d", c->feed->name, (unsigned)c->serial, code);
	if (c->expect_close)
		c->close_sent = true;
	else if (!c->mute)
		conn_close(c, code == CLOSE_NONE ? 1000 : code, "");
}

static void hear_message(struct conn *c, struct span payload)
{
	trace_bytes(c->server->sim, payload);
	if (!c->ready) {
		hear_dialogue(c, payload);
		return;
	}
	if (is_text(payload, "heartbeat")) {
		trace(c->server->sim, "%s/%u hears a heartbeat", c->feed->name,
		      (unsigned)c->serial);
		if (!c->mute && !c->no_pongs)
			say_stamped(c, "heartbeat-ack", 0);
		return;
	}
	inbox_message(c, payload);
}

/* RFC 6455, 5.4 */
static void hear_piece(struct conn *c, const struct frame_header *h, struct span payload)
{
	bool fits;

	if ((h->opcode == FRAME_CONTINUATION) != c->in_pieces)
		trace_fail(c->server->sim, "%s: the pieces of a message are out of order",
			   c->feed->name);
	c->in_pieces = !h->fin;
	if (h->fin && h->opcode != FRAME_CONTINUATION) {
		hear_message(c, payload);
		return;
	}
	fits = buf_append(&c->whole, payload);
	assert(fits);
	if (!h->fin)
		return;
	hear_message(c, buf_bytes(&c->whole));
	buf_clear(&c->whole);
}

void talk_hear(struct conn *c, const struct frame_header *h, struct span payload)
{
	c->feed->dirty = true;
	switch (h->opcode) {
	case FRAME_TEXT:
	case FRAME_BINARY:
	case FRAME_CONTINUATION:
		hear_piece(c, h, payload);
		break;
	case FRAME_PING: /* a bad moment for the process to be stopped: its question is out */
		if (sim_below(&c->server->sim->chance, 300) == 0)
			operator_stall(c->server->sim, 40 * SECOND);
		if (!c->no_pongs && !c->close_sent)
			conn_frame(c, FRAME_PONG, true, payload);
		break;
	case FRAME_PONG:
		hear_pong(c, payload);
		break;
	case FRAME_CLOSE:
		hear_close(c, payload);
		break;
	}
}
