/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See link_rig.h. The test owns the struct. The trap: a state may be gone
 * again when link_rig_wait looks; `states` has all of them.
 */
#include "link_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

static void append(char **text, const char *more)
{
	mem_auto_str old = *text;

	*text = mem_printf("%s%s", old, more);
}

static void take_message(struct link_rig *r, const struct msg *m)
{
	mem_auto_str line = mem_printf("%s%s %.*s|", m->type == MSG_TEXT ? "text" : "binary",
				       m->more ? "+" : "", (int)m->data.n, (const char *)m->data.p);

	r->messages++;
	append(&r->got, line);
	if (r->on_message)
		r->on_message(r);
}

static void take_state(struct link_rig *r)
{
	append(&r->states, link_state_name(link_state(r->k)));
	append(&r->states, " ");
	assert_int_equal(link_has_session(r->k), link_state_has_session(link_state(r->k)));
	if (r->on_state)
		r->on_state(r);
}

static void note_payload(struct link_rig *r, struct span payload)
{
	snprintf(r->payload, sizeof(r->payload), "%.*s", (int)payload.n, (const char *)payload.p);
}

static void take_end(struct link_rig *r, const struct link_event *ev)
{
	assert_true(link_state_has_session(link_state(r->k)));
	r->ends++;
	r->delay = ev->delay;
	r->end = *ev->end;
	if (r->on_ended)
		r->on_ended(r);
}

static void on_link(void *arg, const struct link_event *ev)
{
	struct link_rig *r = arg;

	assert_false(r->freed);
	switch (ev->type) {
	case LINK_STATE:
		take_state(r);
		break;
	case LINK_MESSAGES:
		assert_true(link_has_session(r->k));
		for (size_t i = 0; i < ev->n_msgs; i++)
			take_message(r, &ev->msgs[i]);
		break;
	case LINK_PING:
		r->pings++;
		note_payload(r, ev->payload);
		break;
	case LINK_PONG:
		r->pongs++;
		note_payload(r, ev->payload);
		break;
	case LINK_ENDED:
		take_end(r, ev);
		break;
	case LINK_TURN:
		r->turns++;
		break;
	case LINK_DRAINED:
		r->drained++;
		break;
	}
}

static struct bridge_conf *conf_of(struct link_rig *r, const char *options)
{
	mem_auto_str text = mem_printf("{'url': 'ws://127.0.0.1:$PORT/'%s%s}", *options ? ", " : "",
				       options);

	return world_bridge_conf(&r->w, "feed", text);
}

static void init(struct link_rig *r, const char *options, bool once)
{
	struct link_params params = { .rand = rand_system(),
				      .object = "bridge feed",
				      .once = once,
				      .cb = on_link,
				      .arg = r };

	log_set_level(LOG_LEVEL_ERROR);
	*r = (struct link_rig){ .states = mem_strdup(""), .got = mem_strdup("") };
	world_init(&r->w);
	params.loop = r->w.loop;
	params.dialer = r->w.dialer;
	params.conf = conf_of(r, options);
	r->k = link_new(&params);
	bridge_conf_unref(params.conf); /* the link has its own reference */
}

void link_rig_init(struct link_rig *r, const char *options)
{
	init(r, options, false);
}

void link_rig_init_once(struct link_rig *r, const char *options)
{
	init(r, options, true);
}

void link_rig_configure(struct link_rig *r, const char *options, bool reconnect)
{
	struct bridge_conf *conf = conf_of(r, options);

	link_configure(r->k, conf, reconnect);
	bridge_conf_unref(conf);
}

void link_rig_free(struct link_rig *r)
{
	link_free(r->k);
	r->k = NULL;
	r->freed = true;
}

void link_rig_deinit(struct link_rig *r)
{
	link_rig_free(r);
	world_turn_for(&r->w, 2000);
	world_deinit(&r->w);
	free(r->states);
	free(r->got);
}

struct state_wait {
	const struct link *k;
	enum link_state state;
};

static bool is_in_state(void *arg)
{
	const struct state_wait *s = arg;

	return link_state(s->k) == s->state;
}

void link_rig_wait(struct link_rig *r, enum link_state state)
{
	struct state_wait s = { r->k, state };

	world_wait(&r->w, is_in_state, &s);
}

void link_rig_open(struct link_rig *r)
{
	link_start(r->k);
	link_rig_wait(r, LINK_OPEN);
}

struct link_info link_rig_info(struct link_rig *r)
{
	struct link_info info;

	link_info(r->k, &info);
	return info;
}

enum link_send_result link_rig_text(struct link_rig *r, const char *text)
{
	return link_send(r->k, (struct msg){ .type = MSG_TEXT, .data = span_str(text) });
}
