/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See session_rig.h. The test owns the struct. The trap: the session is not
 * freed when it has ended, since that is one of the things to be tested.
 */
#include "session_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"

struct session_details session_rig_details(const struct session_rig *r)
{
	struct session_details details;

	session_details(r->s, &details);
	return details;
}

static void take_message(struct session_rig *r, const struct msg *m)
{
	mem_auto_str old = r->got;
	int shown = m->data.n < WS_PEER_SHOWN ? (int)m->data.n : WS_PEER_SHOWN;

	r->messages++;
	r->got = mem_printf("%s%s%s %.*s|", old, m->type == MSG_TEXT ? "text" : "binary",
			    m->more ? "+" : "", shown, (const char *)m->data.p);
	if (r->on_message)
		r->on_message(r);
}

static void take_opened(struct session_rig *r)
{
	struct session_details details;

	assert_int_equal(r->upgraded, 1);
	assert_int_equal(r->opened, 0);
	assert_false(r->close_asked);
	details = session_rig_details(r);
	assert_non_null(details.peer);
	assert_true(details.head.n > 0);
	r->opened++;
	if (r->on_opened)
		r->on_opened(r);
}

static void take_upgraded(struct session_rig *r)
{
	assert_int_equal(r->upgraded, 0);
	assert_int_equal(r->messages, 0);
	assert_false(r->close_asked);
	r->upgraded++;
	if (r->on_upgraded)
		r->on_upgraded(r);
}

static void on_session(void *arg, const struct session_event *ev)
{
	struct session_rig *r = arg;

	assert_false(r->freed);
	assert_int_equal(r->ended, 0);
	switch (ev->type) {
	case SESSION_UPGRADED:
		take_upgraded(r);
		break;
	case SESSION_OPENED:
		take_opened(r);
		break;
	case SESSION_MESSAGES:
		assert_int_equal(r->upgraded, 1);
		for (size_t i = 0; i < ev->n_msgs; i++)
			take_message(r, &ev->msgs[i]);
		break;
	case SESSION_PING:
		r->pings++;
		snprintf(r->ping, sizeof(r->ping), "%.*s", (int)ev->payload.n,
			 (const char *)ev->payload.p);
		break;
	case SESSION_PONG:
		r->pongs++;
		snprintf(r->pong, sizeof(r->pong), "%.*s", (int)ev->payload.n,
			 (const char *)ev->payload.p);
		break;
	case SESSION_TURN:
		r->turns++;
		r->heard += ev->heard;
		if (r->on_turn)
			r->on_turn(r);
		break;
	case SESSION_WRITTEN:
		r->written++;
		break;
	case SESSION_ENDED:
		r->end = *ev->end;
		r->ended++;
		break;
	}
}

void session_rig_init(struct session_rig *r)
{
	*r = (struct session_rig){ .got = mem_strdup("") };
	world_init(&r->w);
	cookies_init(&r->cookies);
}

void session_rig_begin_at(struct session_rig *r, const char *url, const char *options)
{
	mem_auto_str text = mem_printf("{'url': '%s'%s%s}", url, *options ? ", " : "", options);
	struct session_params params = {
		.loop = r->w.loop,
		.dialer = r->w.dialer,
		.rand = rand_system(),
		.cookies = &r->cookies,
		.conf = world_bridge_conf(&r->w, "b", text),
		.cb = on_session,
		.arg = r,
	};

	params.url = &params.conf->urls[0];
	r->s = session_new(&params);
	bridge_conf_unref(params.conf); /* the session has its own reference */
	assert_int_equal(r->upgraded + r->opened + r->ended, 0);
}

void session_rig_begin(struct session_rig *r, const char *options)
{
	session_rig_begin_at(r, "ws://127.0.0.1:$PORT/chat", options);
}

void session_rig_upgrade(struct session_rig *r, const char *options)
{
	session_rig_begin(r, options);
	world_wait_count(&r->w, &r->upgraded, 1);
}

void session_rig_open(struct session_rig *r, const char *options)
{
	session_rig_begin(r, options);
	world_wait_count(&r->w, &r->opened, 1);
}

void session_rig_close(struct session_rig *r, int code, const char *reason)
{
	unsigned ended = r->ended;

	r->close_asked = true;
	session_close(r->s, code, reason);
	assert_int_equal(r->ended, ended); /* never from inside the call */
}

void session_rig_free(struct session_rig *r)
{
	session_free(r->s);
	r->s = NULL;
	r->freed = true;
}

void session_rig_deinit(struct session_rig *r)
{
	session_rig_free(r);
	world_turn_for(&r->w, 2000);
	cookies_deinit(&r->cookies);
	world_deinit(&r->w);
	free(r->got);
}

enum session_send_result session_rig_text(struct session_rig *r, const char *text)
{
	return session_send(r->s, (struct msg){ .type = MSG_TEXT, .data = span_str(text) });
}
