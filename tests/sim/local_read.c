/* SPDX-License-Identifier: Apache-2.0 */
/* What local clients read, and what must hold for it: see local.h. */
#include <jansson.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "sim/inbox.h"
#include "sim/local.h"
#include "sim/trace.h"

#define FAIL(c, ...) trace_fail((c)->visits->feed->sim, __VA_ARGS__)

static void show(char out[80], struct span s)
{
	size_t n = s.n < 79 ? s.n : 79;

	memcpy(out, s.p, n);
	out[n] = '\0';
}

/* A message as the server sent it, or as Base64. */
static bool read_stamp(struct span data, struct stamp *st)
{
	uint8_t *bytes;
	size_t n;
	bool ok;

	if (stamp_read(data, 'c', st))
		return true;
	bytes = mem_alloc(data.n + 1);
	ok = base64_decode(bytes, &n, data) && stamp_read(span_of(bytes, n), 'c', st);
	free(bytes);
	return ok;
}

static void check_order(struct local *c, struct span data, struct stamp *st)
{
	char text[80];

	show(text, data);
	if (!read_stamp(data, st))
		FAIL(c, "%s: client %llu reads what nobody sent: %s", c->visits->feed->name,
		     (unsigned long long)c->k, text);
	if (st->who < c->last.who || (st->who == c->last.who && st->n <= c->last.n))
		FAIL(c, "%s: client %llu reads message %llu/%llu after %llu/%llu",
		     c->visits->feed->name, (unsigned long long)c->k, (unsigned long long)st->who,
		     (unsigned long long)st->n, (unsigned long long)c->last.who,
		     (unsigned long long)c->last.n);
	c->last = *st;
	c->got++;
}

/* All clients of a bridge are told the same about a message. */
static void check_numbers(struct local *c, struct stamp st, uint64_t seq, uint64_t epoch)
{
	struct visits *v = c->visits;
	size_t i = st.who % SERIALS_KEPT;

	if (epoch < c->epoch)
		FAIL(c, "%s: epoch %llu after %llu", v->feed->name, (unsigned long long)epoch,
		     (unsigned long long)c->epoch);
	c->epoch = epoch;
	if (v->serials[i].serial < st.who) {
		v->serials[i].serial = st.who;
		v->serials[i].epoch = epoch;
		v->serials[i].base = seq - st.n;
		return;
	}
	if (v->serials[i].serial != st.who)
		return;
	if (v->serials[i].epoch != epoch || v->serials[i].base != seq - st.n)
		FAIL(c, "%s: message %llu/%llu has seq %llu epoch %llu, not %llu and %llu",
		     v->feed->name, (unsigned long long)st.who, (unsigned long long)st.n,
		     (unsigned long long)seq, (unsigned long long)epoch,
		     (unsigned long long)(v->serials[i].base + st.n),
		     (unsigned long long)v->serials[i].epoch);
}

static uint64_t number(const json_t *o, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(o, key));
}

static void on_message(struct local *c, const json_t *o)
{
	json_t *data = json_object_get(o, "data");
	uint64_t seq = number(o, "seq");
	struct stamp st;
	char *text = json_is_string(data) ?
			     mem_strndup(json_string_value(data), json_string_length(data)) :
			     json_dumps(data, JSON_COMPACT);

	check_order(c, span_str(text), &st);
	free(text);
	if (c->seq && seq != c->seq + 1)
		FAIL(c, "%s: client %llu gets message %llu after %llu, and no gap is told",
		     c->visits->feed->name, (unsigned long long)c->k, (unsigned long long)seq,
		     (unsigned long long)c->seq);
	c->seq = seq;
	check_numbers(c, st, seq, number(o, "epoch"));
}

static void on_gap(struct local *c, const json_t *o)
{
	uint64_t from = number(o, "from"), to = number(o, "to"), dropped = number(o, "dropped");

	if (dropped != to - from + 1 || to < from || (c->seq && from != c->seq + 1))
		FAIL(c, "%s: client %llu is told of a gap of %llu, %llu to %llu, after %llu",
		     c->visits->feed->name, (unsigned long long)c->k, (unsigned long long)dropped,
		     (unsigned long long)from, (unsigned long long)to, (unsigned long long)c->seq);
	c->seq = to;
	c->gaps += dropped;
}

/* Each record with an id has one answer. */
static void on_answer(struct local *c, const json_t *o, bool refused)
{
	uint64_t id = number(o, "id");

	if (!json_object_get(o, "id"))
		return;
	c->answers++;
	if (id > c->n || !seen_add(&c->answered, id))
		FAIL(c, "%s: client %llu is told twice of its record %llu", c->visits->feed->name,
		     (unsigned long long)c->k, (unsigned long long)id);
	if (!refused && id > 1 && c->steady && !c->slowed && !seen_has(&c->answered, id - 1) &&
	    !local_has_lost(c))
		FAIL(c,
		     "%s: client %llu has an answer to its record %llu, and none to the one before",
		     c->visits->feed->name, (unsigned long long)c->k, (unsigned long long)id);
	if (refused)
		inbox_refused(c->visits->feed, (struct stamp){ c->k, id });
}

static void on_object(struct local *c, const json_t *o, const char *type)
{
	if (strcmp(type, "text") == 0 || strcmp(type, "binary") == 0)
		on_message(c, o);
	else if (strcmp(type, "gap") == 0)
		on_gap(c, o);
	else if (strcmp(type, "ack") == 0 || strcmp(type, "error") == 0)
		on_answer(c, o, *type == 'e');
}

void local_line(struct local *c, struct span line)
{
	struct stamp st;
	json_t *o;

	trace_bytes(c->visits->feed->sim, line);
	if (!c->json) {
		check_order(c, line, &st);
		return;
	}
	o = json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	if (!o || !json_string_value(json_object_get(o, "type")))
		FAIL(c, "%s: client %llu reads a line that is no record", c->visits->feed->name,
		     (unsigned long long)c->k);
	on_object(c, o, json_string_value(json_object_get(o, "type")));
	json_decref(o);
}
