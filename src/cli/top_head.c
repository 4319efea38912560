/* SPDX-License-Identifier: Apache-2.0 */
/* The head of the screen: the daemon, its bridges by state, what flows through all of them. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "cli/top_text.h"
#include "cli/top_view_int.h"
#include "control/names.h"

#define GRAPH_LEAST 12
#define GRAPH_MOST 60
#define CLOCK_NEEDS 60 /* columns; on less there are better things to say */

bool top_say(struct top_pen *pen, enum top_look look, const char *text)
{
	size_t width = top_width(pen->canvas, text);

	if (pen->col + width > pen->end)
		return false;
	pen->col += top_put(pen->canvas, top_at(pen->row, pen->col, width), look, text);
	return true;
}

bool top_say_take(struct top_pen *pen, enum top_look look, char *text)
{
	bool fits = top_say(pen, look, text);

	free(text);
	return fits;
}

void top_gap(struct top_pen *pen, size_t n)
{
	pen->col += n;
}

void top_say_key(struct top_pen *pen, const char *key, const char *what)
{
	size_t width = top_width(pen->canvas, key) + 1 + top_width(pen->canvas, what);

	if (pen->col + width > pen->end)
		return;
	top_say(pen, LOOK_BOLD, key);
	top_gap(pen, 1);
	top_say(pen, LOOK_DIM, what);
	top_gap(pen, 3);
}

void top_say_clock(struct top_pen *pen, const struct top_scene *s, const struct top_ui *ui)
{
	mem_auto_str every = mem_printf("every %gs  ", ui->interval);
	const char *left = ui->paused ? "paused  " : every;
	size_t width = strlen(left) + sizeof("00:00:00") - 1;
	char clock[16] = "";
	struct tm tm;

	if (pen->end < CLOCK_NEEDS) {
		top_put_right(pen->canvas, top_at(pen->row, 0, pen->end), LOOK_BUSY,
			      ui->paused ? "paused" : "");
		pen->end -= ui->paused && pen->end > width ? width : 0;
		return;
	}
	if (s->now && localtime_r(&s->now, &tm))
		strftime(clock, sizeof(clock), "%T", &tm);
	pen->end -= width;
	top_put(pen->canvas, top_at(pen->row, pen->end, width), ui->paused ? LOOK_BUSY : LOOK_DIM,
		left);
	top_put_right(pen->canvas, top_at(pen->row, pen->end, width), LOOK_PLAIN, clock);
	pen->end--; /* a blank between */
}

static void say_daemon(struct top_pen *pen, const struct top_scene *s)
{
	const json_t *daemon = s->model->daemon;
	mem_auto_str version = text_of(json_object_get(daemon, FIELD_VERSION));
	mem_auto_str config = text_of(json_object_get(daemon, FIELD_CONFIG));
	mem_auto_str uptime = text_duration(
		json_number_value(json_object_get(daemon, FIELD_UPTIME)));

	top_say(pen, LOOK_BOLD, "wsbridged");
	if (s->trouble) {
		top_gap(pen, 1);
		top_say(pen, LOOK_BAD, "does not answer; trying again");
		return;
	}
	if (!version)
		return;
	top_gap(pen, 1);
	top_say(pen, LOOK_BOLD, version);
	top_gap(pen, 2);
	top_say_take(pen, LOOK_PLAIN, mem_printf("up %s", uptime));
	top_gap(pen, 2);
	if (config)
		top_say(pen, LOOK_DIM, config);
}

static void say_states(struct top_pen *pen, const struct top_scene *s)
{
	static const size_t order[] = { TOP_OPEN,    TOP_FAILED, TOP_WAITING, TOP_CONNECTING,
					TOP_CLOSING, TOP_IDLE,	 TOP_CLOSED };
	const struct top_model *m = s->model;

	if (!m->daemon)
		return;
	top_say_take(pen, LOOK_PLAIN, mem_printf("%zu bridge%s", m->n, m->n == 1 ? "" : "s"));
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		const char *state = top_states[order[i]];

		if (m->by_state[order[i]] == 0)
			continue;
		top_gap(pen, 2);
		top_say_take(pen, top_look_of(mark_of_state(state)),
			     mem_printf("%zu %s", m->by_state[order[i]], state));
	}
}

static void say_flow(struct top_pen *pen, const char *label, const struct top_rate *rate)
{
	char messages[TOP_NUMBER], bytes[TOP_NUMBER];

	if (rate->messages < 0 || !top_say(pen, LOOK_DIM, label))
		return;
	top_gap(pen, 1);
	top_say_take(pen, LOOK_PLAIN,
		     mem_printf("%s/s %s/s", top_count(messages, rate->messages),
				top_bytes(bytes, rate->bytes)));
	top_gap(pen, 3);
}

/* {now, max} of the daemon. */
static void say_limit(struct top_pen *pen, const char *label, const json_t *both,
		      char *(*text)(char *out, double n))
{
	double now = json_number_value(json_object_get(both, FIELD_NOW));
	double max = json_number_value(json_object_get(both, FIELD_MAX));
	char one[TOP_NUMBER], other[TOP_NUMBER];
	mem_auto_str shown = mem_printf("%s of %s", text(one, now), text(other, max));

	if (!both || pen->col + strlen(label) + 1 + strlen(shown) > pen->end)
		return;
	top_say(pen, LOOK_DIM, label);
	top_gap(pen, 1);
	top_say(pen, max > 0 && now >= 0.8 * max ? LOOK_BUSY : LOOK_PLAIN, shown);
	top_gap(pen, 3);
}

static void say_totals(struct top_pen *pen, const struct top_scene *s)
{
	const struct top_model *m = s->model;
	size_t room;

	if (!m->daemon)
		return;
	say_flow(pen, "rx", &m->rx);
	say_flow(pen, "tx", &m->tx);
	say_limit(pen, "queued", json_object_get(m->daemon, FIELD_QUEUED), top_bytes);
	say_limit(pen, "clients", json_object_get(m->daemon, FIELD_CLIENTS), top_whole);
	room = pen->end > pen->col ? pen->end - pen->col : 0;
	room = room < GRAPH_MOST ? room : GRAPH_MOST;
	if (room >= GRAPH_LEAST)
		top_graph(pen->canvas, top_at(pen->row, pen->end - room, room), LOOK_RX, &m->past);
}

void top_draw_head(struct top_canvas *c, const struct top_scene *s, const struct top_ui *ui,
		   size_t rows)
{
	static void (*const lines[])(struct top_pen *, const struct top_scene *) = { say_daemon,
										     say_states,
										     say_totals };
	size_t first = rows < 3 ? 1 : 0;

	for (size_t i = 0; i < rows; i++) {
		struct top_pen pen = { c, i, 0, c->cols };

		if (i == 0)
			top_say_clock(&pen, s, ui);
		lines[first + i](&pen, s);
	}
}
