/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See history.h. The records lie in one block of just their size: each link of
 * each bridge has one, and it seldom grows. Only what came to an end, or took
 * its time, has times. The trap: a record lies at any address, so it is copied
 * out and not looked at in its place.
 */
#include "link/history.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Then the times, if it has any, and the text with its NUL. */
struct record {
	int64_t at;
	uint16_t status, close_code;
	uint8_t kind, state, code, stage;
};

struct times {
	int64_t took, delay;
};

#define RECORD_MAX (sizeof(struct record) + sizeof(struct times) + HISTORY_TEXT_MAX + 1)

void history_deinit(struct history *h)
{
	free(h->records);
	*h = (struct history){ 0 };
}

static bool has_times(enum history_kind kind)
{
	return kind == HISTORY_OPENED || kind == HISTORY_ENDED;
}

static size_t put(uint8_t *to, size_t at, const void *from, size_t n)
{
	memcpy(to + at, from, n);
	return at + n;
}

/* Returns how long it is. */
static size_t encode(uint8_t to[RECORD_MAX], const struct history_entry *e)
{
	const char *text = e->text ? e->text : "";
	struct times times = { .took = e->took, .delay = e->delay };
	struct record r = {
		.at = e->at,
		.status = e->status,
		.close_code = e->close_code,
		.kind = (uint8_t)e->kind,
		.state = (uint8_t)e->state,
		.code = (uint8_t)e->code,
		.stage = (uint8_t)e->stage,
	};
	size_t n = put(to, 0, &r, sizeof(r));

	if (has_times(e->kind))
		n = put(to, n, &times, sizeof(times));
	n = put(to, n, text, strnlen(text, HISTORY_TEXT_MAX));
	to[n] = '\0';
	return n + 1;
}

/* Returns how long it is. */
static size_t decode(const uint8_t *from, struct history_entry *e)
{
	struct times times = { .delay = -1 };
	size_t n = sizeof(struct record);
	struct record r;

	memcpy(&r, from, sizeof(r));
	if (has_times(r.kind)) {
		memcpy(&times, from + n, sizeof(times));
		n += sizeof(times);
	}
	*e = (struct history_entry){
		.at = r.at,
		.kind = r.kind,
		.state = r.state,
		.code = r.code,
		.stage = r.stage,
		.status = r.status,
		.close_code = r.close_code,
		.took = times.took,
		.delay = times.delay,
		.text = (const char *)from + n,
	};
	return n + strlen(e->text) + 1;
}

static void drop_oldest(struct history *h)
{
	struct history_entry e;
	size_t n = decode(h->records, &e);

	memmove(h->records, h->records + n, h->len - n);
	h->len -= (uint32_t)n;
	h->n--;
}

void history_add(struct history *h, const struct history_entry *entry)
{
	uint8_t record[RECORD_MAX];
	size_t n = encode(record, entry);

	if (h->n == HISTORY_MAX)
		drop_oldest(h);
	h->records = mem_grow(h->records, h->len + n, 1);
	memcpy(h->records + h->len, record, n);
	h->len += (uint32_t)n;
	h->n++;
}

struct history_entry history_at(const struct history *h, size_t i)
{
	const uint8_t *at = h->records;
	struct history_entry e;

	assert(i < h->n);
	for (size_t k = 0; k < i; k++)
		at += decode(at, &e);
	decode(at, &e);
	return e;
}

void history_copy(struct history *to, const struct history *from)
{
	history_deinit(to);
	*to = *from;
	to->records = mem_alloc(from->len);
	if (from->len > 0)
		memcpy(to->records, from->records, from->len);
}
