/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of events and its readers. It writes nothing to anybody. An event is
 * kept as it came and becomes JSON when it is read. A cursor is RUN:NUMBER, of
 * the run of this daemon and of the event. The trap: numbers count events that
 * were recorded, so a hole in what was recorded shows only in `from`; when more
 * is recorded than before, a number is left out, which tells the cursors from
 * before that moment from those of it.
 */
#include "control/events.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rand.h"
#include "bridge/bridge.h"
#include "control/event_entry.h"
#include "control/names.h"
#include "control/rpc.h"
#include "net/loop.h"

#define NEVER UINT64_MAX
#define CURSOR_MAX 48

struct subscription {
	struct list node; /* of its reader: who was served last stands last */
	int64_t number;
	char *name; /* NULL = all */
	unsigned kinds;
	uint64_t next;	/* number of the event that is looked at next */
	uint64_t lost;	/* events that it would have got, and never will */
	bool lost_more; /* nobody knows how many */
};

struct event_reader {
	struct list node, subscriptions;
	struct events *events;
	size_t n;
	struct subscription *served; /* last; NULL = it is gone */
	void (*wake)(void *arg);
	void *arg;
};

struct events {
	struct loop *loop;
	char run[17];
	struct event_entry *ring[EVENTS_MAX]; /* by number */
	uint64_t oldest, next;		      /* numbers; equal = it is empty */
	size_t bytes;
	struct list readers;
	int64_t last_subscription;
	unsigned wanted, kept;		/* kinds: by readers, and by those that have gone */
	uint64_t from[EVENT_KINDS_MAX]; /* recorded since this number without a hole, or NEVER */
	struct timer keep;
	void (*changed)(void *arg);
	void *arg;
};

bool events_wanted(const struct events *e)
{
	return (e->wanted | e->kept) != 0;
}

size_t events_subscriptions(const struct events *e)
{
	size_t n = 0;

	list_each(it, next, &e->readers)
		n += list_entry(it, struct event_reader, node)->n;
	return n;
}

static struct event_entry **slot(struct events *e, uint64_t number)
{
	return &e->ring[number % EVENTS_MAX];
}

static bool is_for(const struct subscription *s, unsigned kind, const char *bridge)
{
	return s->kinds & (1U << kind) && (!s->name || strcmp(s->name, bridge) == 0);
}

/* Those that have not looked at it yet will not get it any more. */
static void pass_over(struct events *e, uint64_t number, unsigned kind, const char *bridge)
{
	list_each(it, next, &e->readers) {
		struct event_reader *r = list_entry(it, struct event_reader, node);

		list_each(at, after, &r->subscriptions) {
			struct subscription *s = list_entry(at, struct subscription, node);

			if (s->next != number)
				continue;
			s->lost += is_for(s, kind, bridge);
			s->next++;
		}
	}
}

static void drop_oldest(struct events *e)
{
	struct event_entry *entry = *slot(e, e->oldest);

	pass_over(e, e->oldest, entry->kind, entry->bridge);
	e->bytes -= entry->size;
	free(entry);
	e->oldest++;
}

static void drop_all(struct events *e)
{
	while (e->oldest < e->next)
		drop_oldest(e);
}

static void keep(struct events *e, struct event_entry *entry)
{
	while (e->oldest < e->next &&
	       (e->next - e->oldest == EVENTS_MAX || e->bytes + entry->size > EVENTS_BYTES_MAX))
		drop_oldest(e);
	*slot(e, e->next++) = entry;
	e->bytes += entry->size;
}

/* Takes a number that no event has. */
static void leave_out_a_number(struct events *e)
{
	struct event_entry *nothing = mem_zalloc(sizeof(*nothing));

	nothing->kind = EVENT_KINDS_MAX;
	nothing->size = sizeof(*nothing);
	keep(e, nothing);
}

/* What is recorded changes; `from` tells since when. */
static void record(struct events *e, unsigned wanted, unsigned kept)
{
	unsigned before = e->wanted | e->kept, now = wanted | kept;

	if (now & ~before)
		leave_out_a_number(e);
	for (unsigned kind = 0; kind < EVENT_KINDS_MAX; kind++)
		if ((before ^ now) & (1U << kind))
			e->from[kind] = now & (1U << kind) ? e->next : NEVER;
	e->wanted = wanted;
	e->kept = kept;
	if (!now)
		drop_all(e);
	if (!before != !now)
		e->changed(e->arg);
}

static void on_keep(void *arg)
{
	struct events *e = arg;

	record(e, e->wanted, 0);
}

/* After subscriptions have come or gone. */
static void count_wanted(struct events *e)
{
	unsigned wanted = 0, gone;

	list_each(it, next, &e->readers) {
		struct event_reader *r = list_entry(it, struct event_reader, node);

		list_each(at, after, &r->subscriptions)
			wanted |= list_entry(at, struct subscription, node)->kinds;
	}
	gone = e->wanted & ~wanted;
	if (gone)
		timer_arm(&e->keep, EVENTS_KEEP);
	record(e, wanted, e->kept | gone);
}

struct events *events_new(struct loop *l, struct rand_source *rand, void (*changed)(void *arg),
			  void *arg)
{
	struct events *e = mem_zalloc(sizeof(*e));

	e->loop = l;
	e->changed = changed;
	e->arg = arg;
	e->oldest = e->next = 1;
	snprintf(e->run, sizeof(e->run), "%08" PRIx32 "%08" PRIx32, rand_u32(rand), rand_u32(rand));
	for (unsigned kind = 0; kind < EVENT_KINDS_MAX; kind++)
		e->from[kind] = NEVER;
	list_init(&e->readers);
	timer_init(&e->keep, l, on_keep, e);
	return e;
}

void events_free(struct events *e)
{
	if (!e)
		return;
	assert(list_empty(&e->readers));
	drop_all(e);
	timer_deinit(&e->keep);
	free(e);
}

/* Tells the readers that an event is there. */
static void announce(struct events *e, unsigned kind, const char *bridge)
{
	list_each(it, next, &e->readers) {
		struct event_reader *r = list_entry(it, struct event_reader, node);

		list_each(at, after, &r->subscriptions) {
			if (!is_for(list_entry(at, struct subscription, node), kind, bridge))
				continue;
			r->wake(r->arg);
			break;
		}
	}
}

/* There is no room for it whatever goes. */
static void lose(struct events *e, unsigned kind, const char *bridge)
{
	drop_all(e);
	pass_over(e, e->next, kind, bridge);
	e->oldest = ++e->next;
}

void events_add(struct events *e, struct bridge *b, const struct record *r)
{
	int kind = event_kind(r);
	struct event_entry *entry;

	if (kind < 0 || !((e->wanted | e->kept) & (1U << kind)))
		return;
	entry = event_entry_new(b, r, EVENTS_BYTES_MAX);
	if (entry)
		keep(e, entry);
	else
		lose(e, (unsigned)kind, bridge_name(b));
	announce(e, (unsigned)kind, bridge_name(b));
}

struct event_reader *event_reader_new(struct events *e, void (*wake)(void *arg), void *arg)
{
	struct event_reader *r = mem_zalloc(sizeof(*r));

	r->events = e;
	r->wake = wake;
	r->arg = arg;
	list_init(&r->subscriptions);
	list_append(&e->readers, &r->node);
	return r;
}

static void subscription_free(struct event_reader *r, struct subscription *s)
{
	if (r->served == s)
		r->served = NULL;
	list_remove(&s->node);
	free(s->name);
	free(s);
	r->n--;
}

void event_reader_free(struct event_reader *r)
{
	list_each(it, next, &r->subscriptions)
		subscription_free(r, list_entry(it, struct subscription, node));
	count_wanted(r->events);
	list_remove(&r->node);
	free(r);
}

static unsigned kinds_of(const struct event_choice *choice)
{
	unsigned kinds = 0;

	for (size_t i = 0; i < choice->n_events; i++)
		for (unsigned kind = 0; event_names[kind]; kind++)
			kinds |= (strcmp(choice->events[i], event_names[kind]) == 0) * (1U << kind);
	return choice->n_events ? kinds : (1U << EVENT_KINDS_MAX) - 1;
}

static char *cursor(char text[CURSOR_MAX], const struct events *e, uint64_t number)
{
	snprintf(text, CURSOR_MAX, "%s:%" PRIu64, e->run, number);
	return text;
}

/* False: this is no cursor. *next is where to go on; 0: it is of another run. */
static bool read_cursor(const struct events *e, const char *text, uint64_t *next)
{
	size_t run = strspn(text, "0123456789abcdef");
	const char *digits = text + run + 1;
	size_t n = text[run] == ':' ? strspn(digits, "0123456789") : 0;
	uint64_t number;

	if (run != sizeof(e->run) - 1 || n == 0 || n > 18 || digits[n])
		return false;
	number = strtoull(digits, NULL, 10);
	*next = strncmp(text, e->run, run) == 0 && number < e->next ? number + 1 : 0;
	return true;
}

/* From where on all of these kinds were recorded, and are still there. */
static uint64_t known_from(const struct events *e, unsigned kinds)
{
	uint64_t from = e->oldest;

	for (unsigned kind = 0; kind < EVENT_KINDS_MAX; kind++)
		if (kinds & (1U << kind) && e->from[kind] > from)
			from = e->from[kind];
	return from < e->next ? from : e->next;
}

/* As much as there is of what came since then; what is not there is told as a gap. */
static void go_back(struct subscription *s, const struct events *e, uint64_t next)
{
	s->lost_more = next < known_from(e, s->kinds);
	s->next = next > e->oldest ? next : e->oldest;
}

json_t *event_reader_subscribe(struct event_reader *r, const struct event_choice *choice,
			       struct error *err)
{
	struct events *e = r->events;
	struct subscription *s;
	uint64_t since = e->next;
	char text[CURSOR_MAX];

	if (choice->since && !read_cursor(e, choice->since, &since)) {
		error_set_option(err, PARAM_SINCE, "since: not a cursor of an event");
		return NULL;
	}
	if (r->n == SUBSCRIPTIONS_MAX) {
		error_set(err, ERR_OVERFLOW, "at most %d subscriptions for one connection",
			  SUBSCRIPTIONS_MAX);
		return NULL;
	}
	s = mem_zalloc(sizeof(*s));
	s->number = ++e->last_subscription;
	s->kinds = kinds_of(choice);
	if (strcmp(choice->name, EVENTS_OF_ALL) != 0)
		s->name = mem_strdup(choice->name);
	list_append(&r->subscriptions, &s->node);
	r->n++;
	count_wanted(e);
	s->next = e->next;
	if (choice->since)
		go_back(s, e, since);
	r->wake(r->arg);
	return json_pack("{s:I,s:s}", FIELD_SUBSCRIPTION, (json_int_t)s->number, FIELD_CURSOR,
			 cursor(text, e, s->next - 1));
}

size_t event_reader_unsubscribe(struct event_reader *r, int64_t number, const char *name)
{
	size_t n = r->n;

	list_each(it, next, &r->subscriptions) {
		struct subscription *s = list_entry(it, struct subscription, node);
		const char *its = s->name ? s->name : EVENTS_OF_ALL;

		if (name ? strcmp(its, name) == 0 : s->number == number)
			subscription_free(r, s);
	}
	count_wanted(r->events);
	return n - r->n;
}

bool event_reader_is_subscribed(const struct event_reader *r)
{
	return r->n > 0;
}

bool event_reader_is_behind(const struct event_reader *r)
{
	list_each(it, next, &r->subscriptions) {
		struct subscription *s = list_entry(it, struct subscription, node);

		if (s->lost || s->lost_more || s->next < r->events->next)
			return true;
	}
	return false;
}

/* Leads s to the next event that is for it; NULL = there is none. */
static struct event_entry *advance(struct subscription *s, struct events *e)
{
	for (; s->next < e->next; s->next++) {
		struct event_entry *entry = *slot(e, s->next);

		if (is_for(s, entry->kind, entry->bridge))
			return entry;
	}
	return NULL;
}

static char *line_of(const struct subscription *s, const struct events *e, json_t *params,
		     size_t *n)
{
	char text[CURSOR_MAX];

	json_object_set_new(params, FIELD_SUBSCRIPTION, json_integer(s->number));
	json_object_set_new(params, FIELD_CURSOR, json_string(cursor(text, e, s->next - 1)));
	return rpc_request_line(NOTIFICATION_EVENT, params, -1, n);
}

static char *gap_line(struct subscription *s, const struct events *e, size_t *n)
{
	json_t *dropped = s->lost_more ? json_null() : json_integer((json_int_t)s->lost);
	json_t *params = json_pack("{s:s,s:o}", FIELD_EVENT, EVENT_GAP, FIELD_DROPPED, dropped);

	if (s->name)
		json_object_set_new(params, FIELD_BRIDGE, json_string(s->name));
	s->lost = 0;
	s->lost_more = false;
	return line_of(s, e, params, n);
}

char *event_reader_next(struct event_reader *r, size_t *n)
{
	struct events *e = r->events;

	list_each(it, next, &r->subscriptions) {
		struct subscription *s = list_entry(it, struct subscription, node);
		bool gap = s->lost || s->lost_more;
		struct event_entry *entry = gap ? NULL : advance(s, e);

		if (!gap && !entry)
			continue;
		list_remove(&s->node);
		list_append(&r->subscriptions, &s->node);
		r->served = s;
		if (gap)
			return gap_line(s, e, n);
		s->next++;
		return line_of(s, e, event_entry_view(entry), n);
	}
	return NULL;
}

void event_reader_lost(struct event_reader *r)
{
	if (r->served)
		r->served->lost++;
}
