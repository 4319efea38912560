/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace of a link: it outlives connections, and joins one that is there in
 * step with the frames of both directions. The trap: a session keeps a pointer
 * to the tap, so it is taken away before the trace goes.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "link/link_int.h"
#include "link/wire_trace.h"

struct link_trace {
	struct wire_trace trace;
	struct link_tracer to;
	struct session_tap tap;
};

static void show(struct link_trace *t)
{
	struct span lines = buf_bytes(&t->trace.lines);

	if (lines.n > 0)
		t->to.lines(t->to.arg, lines);
	buf_clear(&t->trace.lines);
}

static void on_begin(void *arg, struct bridge_conf *conf)
{
	struct link_trace *t = arg;

	wire_trace_begin(&t->trace, conf);
}

static void on_pass(void *arg, bool sent, struct span bytes)
{
	struct link_trace *t = arg;

	wire_trace_pass(&t->trace, sent, bytes);
	show(t);
}

const struct session_tap *link_tap(const struct link *k)
{
	return k->trace ? &k->trace->tap : NULL;
}

/* What has ended already, but is not told yet, has no bytes left to see. */
static void join(struct link *k)
{
	struct ws_wire wire;

	if (!session_wire(k->session, &wire))
		return;
	wire_trace_join(&k->trace->trace, session_conf(k->session), &wire);
	show(k->trace);
}

static void end(struct link *k)
{
	if (!k->trace)
		return;
	if (k->session)
		session_set_tap(k->session, NULL);
	wire_trace_deinit(&k->trace->trace);
	free(k->trace);
	k->trace = NULL;
}

void link_trace(struct link *k, const struct link_tracer *to)
{
	struct link_trace *t;

	end(k);
	if (!to)
		return;
	t = mem_zalloc(sizeof(*t));
	t->to = *to;
	t->tap = (struct session_tap){ .begin = on_begin, .pass = on_pass, .arg = t };
	wire_trace_init(&t->trace, to->budget, to->plain);
	k->trace = t;
	if (!k->session)
		return;
	session_set_tap(k->session, &t->tap);
	join(k);
}
