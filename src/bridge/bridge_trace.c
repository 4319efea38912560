/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace of a bridge: what passes its connections goes to the log, for a
 * while and at a bounded rate. What the lines say is link/wire_trace.h's. It was
 * asked for by name, so no level of the log hides it. The trap: the links
 * point into it, so it goes after them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "bridge/pair_int.h"
#include "link/wire_trace.h"

#define LINES_PER_SECOND 200
#define SECOND ((int64_t)1000000)

struct bridge_trace {
	struct bridge *b;
	struct trace_budget budget; /* of one second, of all links together */
	struct timer tick;
	int64_t end;   /* on the loop's clock */
	int64_t until; /* the same in seconds since 1970 */
};

static void tell_lines(const struct bridge *b, const char *label, struct span lines)
{
	while (lines.n > 0) {
		const uint8_t *end = memchr(lines.p, '\n', lines.n);
		size_t n = end ? (size_t)(end - lines.p) : lines.n;

		log_write(LOG_LEVEL_DEBUG, b->object, "trace%s: %.*s", label, (int)n,
			  (const char *)lines.p);
		lines = span_skip(lines, end ? n + 1 : n);
	}
}

static void on_lines(void *arg, struct span lines)
{
	tell_lines(arg, "", lines);
}

static void on_pair_lines(void *arg, struct span lines)
{
	struct pair *p = arg;
	mem_auto_str label = mem_printf(" (%" PRIu64 ")", p->number);

	tell_lines(p->b, label, lines);
}

void bridge_trace_pair(struct pair *p)
{
	struct bridge_trace *t = p->b->trace;
	struct link_tracer to = { .lines = on_pair_lines, .arg = p };

	if (t)
		to.budget = &t->budget;
	link_trace(p->link, t ? &to : NULL);
}

static void follow(struct bridge *b)
{
	struct link_tracer to = { .lines = on_lines, .arg = b };

	if (b->trace)
		to.budget = &b->trace->budget;
	link_trace(b->link, b->trace ? &to : NULL);
	list_each(it, next, &b->pairs)
		bridge_trace_pair(pair_at(it));
}

static void refill(struct bridge_trace *t)
{
	if (t->budget.left_out > 0)
		log_write(LOG_LEVEL_NOTICE, t->b->object,
			  "trace: %" PRIu64 " more lines are left out (%d a second are shown)",
			  t->budget.left_out, LINES_PER_SECOND);
	t->budget = (struct trace_budget){ .room = LINES_PER_SECOND };
}

static void drop(struct bridge *b)
{
	struct bridge_trace *t = b->trace;

	refill(t);
	timer_deinit(&t->tick);
	b->trace = NULL;
	free(t);
}

static void end(struct bridge *b, const char *why)
{
	struct bridge_trace *t = b->trace;

	b->trace = NULL;
	follow(b);
	b->trace = t;
	drop(b);
	log_write(LOG_LEVEL_NOTICE, b->object, "trace: off, %s", why);
}

static void on_tick(void *arg)
{
	struct bridge_trace *t = arg;
	int64_t left = t->end - loop_now(t->b->env->loop);

	if (left <= 0) {
		end(t->b, "its time is over");
		return;
	}
	refill(t);
	timer_arm(&t->tick, left < SECOND ? left : SECOND);
}

static void begin(struct bridge *b)
{
	struct bridge_trace *t = mem_zalloc(sizeof(*t));

	t->b = b;
	timer_init(&t->tick, b->env->loop, on_tick, t);
	refill(t);
	b->trace = t;
}

void bridge_trace(struct bridge *b, int64_t how_long)
{
	char text[SCHEMA_VALUE_TEXT];
	bool fresh = !b->trace;

	if (how_long == 0) {
		if (b->trace)
			end(b, "as asked for");
		return;
	}
	if (fresh)
		begin(b);
	b->trace->end = loop_now(b->env->loop) + how_long;
	b->trace->until = time(NULL) + (how_long + SECOND - 1) / SECOND;
	timer_arm(&b->trace->tick, how_long < SECOND ? how_long : SECOND);
	schema_format_duration(text, how_long);
	log_write(LOG_LEVEL_NOTICE, b->object,
		  "trace: handshakes and the headers of frames are logged for %s", text);
	if (fresh)
		follow(b);
}

int64_t bridge_traced_until(const struct bridge *b)
{
	return b->trace ? b->trace->until : 0;
}

void bridge_trace_free(struct bridge *b)
{
	if (!b->trace)
		return;
	drop(b);
	log_write(LOG_LEVEL_NOTICE, b->object, "trace: off, the bridge is gone");
}
