/* SPDX-License-Identifier: Apache-2.0 */
/* See pace.h. Deliberately not written as link/backoff.c is: by bounds, not by formula. */
#include "sim/pace.h"

#include <stdio.h>

#define SECONDS(n) ((int64_t)(n)*1000000)

static char why[256];

/* The bound of the n-th end in a row, n from 1. */
static double bound(const struct bridge_conf *conf, unsigned n)
{
	double b = (double)conf->common->reconnect.initial,
	       max = (double)conf->common->reconnect.max;

	for (unsigned i = 1; i < n && b < max; i++)
		b *= conf->common->reconnect.factor > 1 ? conf->common->reconnect.factor : 1;
	return b < max ? b : max;
}

static double least_of(const struct bridge_conf *conf, double b)
{
	switch (conf->common->reconnect.jitter) {
	case JITTER_EQUAL:
		return b / 2;
	case JITTER_FULL:
		return 0;
	case JITTER_NONE:
		return b;
	}
	return 0;
}

static bool is_slow(const struct pace_end *end)
{
	int s = end->status, c = end->close_code;

	return end->tls_failed || (s >= 400 && s <= 499 && s != 408 && s != 425 && s != 429) ||
	       c == 1002 || c == 1003 || (c >= 1007 && c <= 1010);
}

static int64_t floor_of(const struct pace_end *end, int64_t asked)
{
	int64_t least = end->close_code == 1012 || end->close_code == 1013 ? SECONDS(5) : 0;

	if (asked < 0)
		return least;
	asked = asked < SECONDS(1) ? SECONDS(1) : asked;
	asked = asked > SECONDS(300) ? SECONDS(300) : asked;
	return asked > least ? asked : least;
}

const char *pace_ended(struct pace *p, const struct bridge_conf *conf, const struct pace_end *end,
		       int64_t delay, int64_t now)
{
	bool proven = end->was_open && end->open_for >= conf->common->reconnect.reset_after;
	bool slow = is_slow(end) && conf->common->reconnect.slow > conf->common->reconnect.max;
	double least, most, asked;

	p->least = proven ? 1 : p->least + 1;
	p->most = proven ? 1 : p->most + 1;
	least = least_of(conf, slow ? (double)conf->common->reconnect.max : bound(conf, p->least));
	most = slow ? (double)conf->common->reconnect.slow : bound(conf, p->most);
	asked = (double)floor_of(end, end->retry_after);
	least = least < asked ? asked : least;
	asked = (double)floor_of(end, end->retry_most) * 2;
	most = most < asked ? asked : most;
	p->last_end = now;
	p->last_delay = delay;
	if (proven)
		p->n_dials = 0;
	if ((double)delay >= least - 1 && (double)delay <= most + 1)
		return NULL;
	snprintf(why, sizeof(why), "waits %.6f s after end %u to %u, not %.6f to %.6f",
		 (double)delay / 1e6, p->least, p->most, least / 1e6, most / 1e6);
	return why;
}

/* Most attempts in the window if every wait is as short as it may be. */
static size_t most_dials(const struct bridge_conf *conf)
{
	double t = 0, end = (double)PACE_WINDOW;
	unsigned n = 1;

	while (t <= end && n < PACE_KEPT)
		t += least_of(conf, bound(conf, n++));
	return n;
}

const char *pace_dialed(struct pace *p, const struct bridge_conf *conf, int64_t now)
{
	size_t in_window = 1;

	if (p->last_end && now < p->last_end + p->last_delay) {
		snprintf(why, sizeof(why), "dials %.6f s too early",
			 (double)(p->last_end + p->last_delay - now) / 1e6);
		return why;
	}
	p->last_end = 0;
	for (size_t i = p->n_dials; i-- > 0 && p->dials[i] > now - PACE_WINDOW;)
		in_window++;
	if (p->n_dials < PACE_KEPT)
		p->dials[p->n_dials++] = now;
	if (in_window <= most_dials(conf) || p->n_dials == PACE_KEPT)
		return NULL;
	snprintf(why, sizeof(why), "%zu attempts in 10 minutes", in_window);
	return why;
}

void pace_excuse(struct pace *p)
{
	p->least = 0;
	p->n_dials = 0;
	p->last_end = 0;
}
