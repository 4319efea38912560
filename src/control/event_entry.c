/* SPDX-License-Identifier: Apache-2.0 */
/* See event_entry.h. The trap: texts in `data` are one behind the other, each with its NUL. */
#include "control/event_entry.h"

#include <time.h>

#include "base/mem.h"
#include "control/events.h"
#include "control/names.h"
#include "control/view.h"

enum { KIND_STATE, KIND_MESSAGE, KIND_OPEN, KIND_CLOSE, KIND_PING, KIND_PONG, KIND_ERROR };

const char *const event_names[] = {
	[KIND_STATE] = EVENT_STATE, [KIND_MESSAGE] = EVENT_MESSAGE, [KIND_OPEN] = EVENT_OPEN,
	[KIND_CLOSE] = EVENT_CLOSE, [KIND_PING] = EVENT_PING,	    [KIND_PONG] = EVENT_PONG,
	[KIND_ERROR] = EVENT_ERROR, [EVENT_KINDS_MAX] = NULL,
};

int event_kind(const struct record *r)
{
	if (!r)
		return KIND_STATE;
	switch (r->type) {
	case RECORD_MESSAGE:
		return KIND_MESSAGE;
	case RECORD_OPEN:
		return KIND_OPEN;
	case RECORD_CLOSE:
		return KIND_CLOSE;
	case RECORD_PING:
		return KIND_PING;
	case RECORD_PONG:
		return KIND_PONG;
	case RECORD_ERROR:
		return KIND_ERROR;
	case RECORD_GAP:
	case RECORD_ACK:
		break;
	}
	return -1;
}

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static size_t text_size(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Copies what r points to, and lets the copy point there. */
struct copying {
	uint8_t *at;
};

static struct span copy(struct copying *c, struct span s)
{
	uint8_t *to = c->at;

	if (s.n)
		memcpy(to, s.p, s.n);
	c->at += s.n;
	return span_of(to, s.n);
}

static const char *copy_text(struct copying *c, const char *text)
{
	return text ? (const char *)copy(c, span_of(text, strlen(text) + 1)).p : NULL;
}

static void fill(struct event_entry *entry, const struct record *r)
{
	struct copying c = { .at = entry->data };
	struct record *own = &entry->record;

	*own = *r;
	own->msg.data = copy(&c, r->msg.data);
	own->payload = copy(&c, r->payload);
	own->url = copy_text(&c, r->url);
	own->subprotocol = copy_text(&c, r->subprotocol);
	own->reason = copy_text(&c, r->reason);
	if (r->err) {
		entry->err = *r->err;
		own->err = &entry->err;
	}
}

struct event_entry *event_entry_new(struct bridge *b, const struct record *r, size_t max)
{
	static const struct record none;
	const struct record *from = r ? r : &none;
	size_t size = sizeof(struct event_entry) + from->msg.data.n + from->payload.n +
		      text_size(from->url) + text_size(from->subprotocol) + text_size(from->reason);
	struct event_entry *entry = size <= max ? mem_try_alloc(size) : NULL;

	if (!entry)
		return NULL;
	entry->kind = (unsigned)event_kind(r);
	entry->size = size;
	entry->state = bridge_state(b);
	memcpy(entry->bridge, bridge_name(b), strlen(bridge_name(b)) + 1);
	fill(entry, from);
	if (!r)
		entry->record.time = now();
	return entry;
}

json_t *event_entry_view(const struct event_entry *entry)
{
	json_t *v = json_pack("{s:s,s:s}", FIELD_BRIDGE, entry->bridge, FIELD_EVENT,
			      event_names[entry->kind]);

	if (entry->kind != KIND_STATE) {
		view_record(v, &entry->record);
		return v;
	}
	json_object_set_new(v, FIELD_STATE, json_string(entry->state));
	view_time(v, entry->record.time);
	return v;
}
