/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See top_model.h. The trap: between two answers there may be more time than was meant (the user
 * has paused, the machine slept), so rates are over what has passed indeed.
 */
#include "cli/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "control/names.h"

const char *const top_states[N_TOP_STATES + 1] = {
	[TOP_FAILED] = "failed",   [TOP_WAITING] = "waiting", [TOP_CONNECTING] = "connecting",
	[TOP_CLOSING] = "closing", [TOP_OPEN] = "open",	      [TOP_IDLE] = "idle",
	[TOP_CLOSED] = "closed",   [N_TOP_STATES] = "",
};

static const struct top_rate unknown = { -1, -1 };

void top_model_init(struct top_model *m)
{
	*m = (struct top_model){ .rx = unknown, .tx = unknown };
}

static void free_bridge(struct top_bridge *b)
{
	json_decref(b->view);
	free(b->name);
	free(b);
}

void top_model_deinit(struct top_model *m)
{
	for (size_t i = 0; i < m->n; i++)
		free_bridge(m->bridges[i]);
	free(m->bridges);
	json_decref(m->daemon);
	top_model_init(m);
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* Below 0: it is null, or not there. */
static double number_or_none(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : -1;
}

static size_t state_of(const json_t *view)
{
	const char *state = json_string_value(json_object_get(view, FIELD_STATE));
	size_t i = 0;

	while (i < N_TOP_STATES && (!state || strcmp(top_states[i], state) != 0))
		i++;
	return i;
}

static double queued_of(const json_t *view)
{
	const json_t *clients = json_object_get(view, FIELD_CLIENTS);
	double all = number_of(json_object_get(view, FIELD_OUTBOX), FIELD_BYTES);

	for (size_t i = 0; i < json_array_size(clients); i++)
		all += number_of(json_array_get(clients, i), FIELD_QUEUED);
	return all;
}

static double grown(double before, double now)
{
	return now >= before ? now - before : now;
}

/* seconds: since the answer before; 0: there was none. */
static void take_flow(struct top_flow *f, const json_t *counters, double seconds)
{
	double messages = number_of(counters, FIELD_MESSAGES);
	double bytes = number_of(counters, FIELD_BYTES);

	f->rate = unknown;
	if (seconds > 0) {
		f->rate.messages = grown(f->messages, messages) / seconds;
		f->rate.bytes = grown(f->bytes, bytes) / seconds;
		top_series_add(&f->past, f->rate.messages);
	}
	f->messages = messages;
	f->bytes = bytes;
}

double top_rate_of(const struct top_bridge *b)
{
	return b->rx.rate.messages < 0 ? -1 : b->rx.rate.messages + b->tx.rate.messages;
}

static void take_view(struct top_bridge *b, json_t *view, double seconds)
{
	json_incref(view);
	json_decref(b->view);
	b->view = view;
	take_flow(&b->rx, json_object_get(view, FIELD_RX), seconds);
	take_flow(&b->tx, json_object_get(view, FIELD_TX), seconds);
	if (seconds > 0)
		top_series_add(&b->past, top_rate_of(b));
	b->queued = queued_of(view);
	b->rtt = number_or_none(view, FIELD_RTT);
	b->retry_in = number_or_none(view, FIELD_RETRY_IN);
	b->reconnects = number_of(view, FIELD_RECONNECTS);
	b->clients = (double)json_array_size(json_object_get(view, FIELD_CLIENTS));
	b->dropped = number_of(view, FIELD_DROPPED);
	b->state = state_of(view);
	b->seen = true;
}

/* Among the first n, which are by name. */
static struct top_bridge *find(const struct top_model *m, size_t n, const char *name)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, m->bridges[middle]->name);

		if (order == 0)
			return m->bridges[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct top_bridge *top_model_find(const struct top_model *m, const char *name)
{
	return find(m, m->n, name);
}

static struct top_bridge *add_bridge(struct top_model *m, const char *name)
{
	struct top_bridge *b = mem_zalloc(sizeof(*b));

	b->name = mem_strdup(name);
	m->bridges = mem_grow(m->bridges, m->n + 1, sizeof(*m->bridges));
	m->bridges[m->n++] = b;
	return b;
}

static int by_name(const void *a, const void *b)
{
	struct top_bridge *const *one = a, *const *other = b;

	return strcmp((*one)->name, (*other)->name);
}

static void remove_unseen(struct top_model *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->bridges[i]->seen)
			m->bridges[kept++] = m->bridges[i];
		else
			free_bridge(m->bridges[i]);
	}
	m->n = kept;
}

/* Also a bridge that is new began at 0 since the answer before, if there was one. */
static void take_bridges(struct top_model *m, const json_t *views, double seconds)
{
	size_t known = m->n;

	for (size_t i = 0; i < m->n; i++)
		m->bridges[i]->seen = false;
	for (size_t i = 0; i < json_array_size(views); i++) {
		json_t *view = json_array_get(views, i);
		const char *name = json_string_value(json_object_get(view, FIELD_NAME));
		struct top_bridge *b = name ? find(m, known, name) : NULL;

		if (!name)
			continue;
		take_view(b ? b : add_bridge(m, name), view, seconds);
	}
	remove_unseen(m);
	if (m->n > 1)
		qsort(m->bridges, m->n, sizeof(struct top_bridge *), by_name);
}

static void add_rate(struct top_rate *all, const struct top_rate *one)
{
	all->messages += one->messages;
	all->bytes += one->bytes;
}

static void sum_up(struct top_model *m, double seconds)
{
	memset(m->by_state, 0, sizeof(m->by_state));
	m->rx = m->tx = seconds > 0 ? (struct top_rate){ 0, 0 } : unknown;
	for (size_t i = 0; i < m->n; i++) {
		m->by_state[m->bridges[i]->state]++;
		if (seconds > 0) {
			add_rate(&m->rx, &m->bridges[i]->rx.rate);
			add_rate(&m->tx, &m->bridges[i]->tx.rate);
		}
	}
	if (seconds > 0)
		top_series_add(&m->past, m->rx.messages + m->tx.messages);
}

static void forget_counters(struct top_model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct top_bridge *b = m->bridges[i];

		b->rx.messages = b->rx.bytes = b->tx.messages = b->tx.bytes = 0;
	}
}

/* The same process, or another one, which has begun to count anew? */
static bool is_same(const json_t *a, const json_t *b)
{
	return number_of(a, FIELD_PID) == number_of(b, FIELD_PID) &&
	       number_of(a, FIELD_STARTED) == number_of(b, FIELD_STARTED);
}

void top_model_take(struct top_model *m, const json_t *status, double now)
{
	json_t *daemon = json_object_get(status, FIELD_DAEMON);
	double seconds = m->samples > 0 ? now - m->at : 0;

	if (m->daemon && !is_same(m->daemon, daemon))
		forget_counters(m);
	json_incref(daemon);
	json_decref(m->daemon);
	m->daemon = daemon;
	take_bridges(m, json_object_get(status, FIELD_BRIDGES), seconds);
	sum_up(m, seconds);
	m->at = now;
	m->samples++;
}

void top_model_lost(struct top_model *m)
{
	for (size_t i = 0; i < m->n; i++) {
		top_series_add(&m->bridges[i]->past, -1);
		top_series_add(&m->bridges[i]->rx.past, -1);
		top_series_add(&m->bridges[i]->tx.past, -1);
	}
	top_series_add(&m->past, -1);
}
