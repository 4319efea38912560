/* SPDX-License-Identifier: Apache-2.0 */
/* See top_graph.h. The trap: what is not zero must be seen, however high the scale is. */
#include "cli/top_graph.h"

#define STEPS 8 /* in one row */

void top_series_add(struct top_series *s, double value)
{
	s->values[s->next] = (float)value;
	s->next = (unsigned short)((s->next + 1) % TOP_PAST);
	s->n = (unsigned short)(s->n < TOP_PAST ? s->n + 1 : TOP_PAST);
}

/* The value `back` before the newest; below 0: none. */
static double value_at(const struct top_series *s, size_t back)
{
	if (back >= s->n)
		return -1;
	return (double)s->values[((size_t)s->next + TOP_PAST - 1 - back) % TOP_PAST];
}

double top_series_peak(const struct top_series *s, size_t last)
{
	double peak = 0;

	for (size_t i = 0; i < s->n && i < last; i++)
		peak = value_at(s, i) > peak ? value_at(s, i) : peak;
	return peak;
}

double top_graph_scale(double peak)
{
	double scale = 1;

	while (scale < peak && scale < 1e15) {
		if (2 * scale >= peak)
			return 2 * scale;
		if (5 * scale >= peak)
			return 5 * scale;
		scale *= 10;
	}
	return scale;
}

static wchar_t step_char(const struct top_canvas *c, size_t step)
{
	static const wchar_t blocks[] = L" \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";
	static const wchar_t ascii[] = L" .:-=+*#@";

	return (c->utf8 ? blocks : ascii)[step];
}

/* How many steps high, of `height` rows. */
static size_t steps_of(double value, double scale, size_t height)
{
	size_t all = height * STEPS, steps;

	if (!(value > 0))
		return 0;
	steps = (size_t)(value / scale * (double)all + 0.99); /* rounded up */
	return steps < 1 ? 1 : steps > all ? all : steps;
}

void top_graph_high(struct top_canvas *c, struct top_place at, size_t height, enum top_look look,
		    const struct top_series *s)
{
	double scale = top_graph_scale(top_series_peak(s, at.width));

	for (size_t i = 0; i < at.width; i++) {
		size_t steps = steps_of(value_at(s, at.width - 1 - i), scale, height);

		for (size_t row = height; row > 0; row--) {
			size_t here = steps > STEPS ? STEPS : steps;

			top_put_char(c, at.row + row - 1, at.col + i, step_char(c, here), look);
			steps -= here;
		}
	}
}

void top_graph(struct top_canvas *c, struct top_place at, enum top_look look,
	       const struct top_series *s)
{
	top_graph_high(c, at, 1, look, s);
}
