/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was, as a picture: the last values of a series, the newest at the right, drawn with eighths
 * of blocks, or with ASCII where there are none. Pure.
 */
#ifndef WSB_CLI_TOP_GRAPH_H
#define WSB_CLI_TOP_GRAPH_H

#include "cli/top_canvas.h"

#define TOP_PAST 240 /* values that are kept */

/* The last values; below 0: there was nobody to ask. Zero-initialised = none yet. */
struct top_series {
	float values[TOP_PAST];
	unsigned short n, next;
};

void top_series_add(struct top_series *s, double value);
double top_series_peak(const struct top_series *s, size_t last); /* of the last so many */

/* The scale for values up to peak: 1, 2 or 5 times a power of 10, so that it changes seldom. */
double top_graph_scale(double peak);

/* In one row: against the scale of what is shown. */
void top_graph(struct top_canvas *c, struct top_place at, enum top_look look,
	       const struct top_series *s);

/* The same, so many rows high. */
void top_graph_high(struct top_canvas *c, struct top_place at, size_t height, enum top_look look,
		    const struct top_series *s);

#endif
