/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the framings share: records to bytes, bytes to orders, and
 * a way to write down what comes out. A test of a framing that has no events
 * leaves half of it alone.
 */
#ifndef WSB_UNIT_ENDPOINT_FRAMING_TEST_H
#define WSB_UNIT_ENDPOINT_FRAMING_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "endpoint/framing.h"
#include "support/chunks.h"

#define S(text)                                           \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}
#define N(table) (sizeof(table) / sizeof((table)[0]))
#define UNUSED __attribute__((unused))

/* Returns a record of *n bytes against the end of its memory, or NULL if it cannot be carried. */
static UNUSED uint8_t *encode(const struct endpoint_rules *conf, const struct record *r, size_t *n,
			      bool *replaced)
{
	struct framing f;
	struct framing_plan plan;
	uint8_t *out;

	framing_init(&f, conf, 1 << 20);
	if (!framing_measure(&f, r, &plan))
		return NULL;
	out = mem_alloc(plan.size ? plan.size : 1);
	framing_encode(&f, r, &plan, out);
	*n = plan.size;
	*replaced = plan.replaced;
	return out;
}

static UNUSED struct record message(enum msg_type type, struct span data)
{
	return (struct record){ .type = RECORD_MESSAGE, .msg = { .type = type, .data = data } };
}

/*
 * What comes in, written down: "t[text]", "b[binary]", with "+" behind if more follow,
 * "ping[]", "pong[]", "close1000[]", with "#id" behind if there is one; "!sentence!" was refused,
 * "X" in front of it: for good; "~" stands in front of the very last.
 */
struct in_row {
	const struct endpoint_rules *conf;
	size_t max;
	struct span input;
	struct span out;
};

struct transcript {
	char text[1024];
	size_t n;
};

static UNUSED void note(struct transcript *t, const void *p, size_t n)
{
	assert_true(n <= sizeof(t->text) - t->n);
	if (n > 0)
		memcpy(t->text + t->n, p, n);
	t->n += n;
}

static UNUSED void note_text(struct transcript *t, const char *s)
{
	note(t, s, strlen(s));
}

static UNUSED void note_bytes(struct transcript *t, struct span s)
{
	note(t, "[", 1);
	note(t, s.p, s.n);
	note(t, "]", 1);
}

static UNUSED void note_order(struct transcript *t, const struct order *o)
{
	char code[8];

	switch (o->type) {
	case ORDER_MESSAGE:
		assert_true(o->msg.type == MSG_BINARY || utf8_valid(o->msg.data));
		note_text(t, o->msg.type == MSG_TEXT ? "t" : "b");
		note_bytes(t, o->msg.data);
		note_text(t, o->msg.more ? "+" : "");
		break;
	case ORDER_RUN:
		fail_msg("framing_next makes no runs");
		break;
	case ORDER_PING:
	case ORDER_PONG:
		note_text(t, o->type == ORDER_PING ? "ping" : "pong");
		note_bytes(t, o->payload);
		break;
	case ORDER_CLOSE:
		snprintf(code, sizeof(code), "%d", o->code);
		note_text(t, "close");
		note_text(t, code);
		note_bytes(t, o->reason);
		break;
	}
}

static UNUSED void note_result(struct transcript *t, enum framing_result result,
			       const struct order *o, const struct error *err)
{
	if (result == FRAMING_ORDER) {
		note_order(t, o);
	} else {
		assert_true(result == FRAMING_BAD || result == FRAMING_BROKEN);
		assert_true(err->code != ERR_NONE && err->code != ERR_INTERNAL);
		note_text(t, result == FRAMING_BROKEN ? "X!" : "!");
		note_text(t, err->text);
		note_text(t, "!");
	}
	if (o->id.n > 0)
		note(t, "#", 1);
	note(t, o->id.p, o->id.n);
}

/* Two at a time, of which the second one is given back. */
static UNUSED void note_runs(struct transcript *t, struct framing_reader *r, struct span *piece)
{
	struct order o = { .type = ORDER_MESSAGE };
	struct msg msgs[2];
	size_t n;

	while ((n = framing_next_run(r, piece, msgs, 2)) > 0) {
		assert_true(n <= 2);
		o.msg = msgs[0];
		note_order(t, &o);
		if (n < 2)
			continue;
		*piece = span_of(msgs[1].data.p, (size_t)(piece->p + piece->n - msgs[1].data.p));
	}
}

static UNUSED void note_input(struct transcript *t, struct framing_reader *r, struct span piece,
			      bool fast)
{
	enum framing_result result;
	struct error err;
	struct order o;

	if (fast)
		note_runs(t, r, &piece);
	while ((result = framing_next(r, &piece, &o, &err)) != FRAMING_MORE) {
		note_result(t, result, &o, &err);
		if (fast)
			note_runs(t, r, &piece);
	}
	assert_int_equal(piece.n, 0);
}

static UNUSED void note_end(struct transcript *t, struct framing_reader *r)
{
	enum framing_result result;
	struct error err;
	struct order o;

	if ((result = framing_finish(r, &o, &err)) != FRAMING_MORE) {
		note(t, "~", 1);
		note_result(t, result, &o, &err);
	}
	assert_int_equal(framing_finish(r, &o, &err), FRAMING_MORE);
	assert_int_equal(framing_pending(r), 0);
}

struct reading {
	const struct in_row *row;
	bool fast; /* by framing_next_run wherever it will */
};

static UNUSED void read_all(struct chunks *c, void *arg)
{
	const struct reading *reading = arg;
	const struct in_row *row = reading->row;
	struct transcript t = { .n = 0 };
	struct framing f;
	struct framing_reader r;
	struct span piece;

	framing_init(&f, row->conf, row->max);
	framing_reader_init(&r, &f);
	while (chunks_next(c, &piece))
		note_input(&t, &r, piece, reading->fast);
	note_end(&t, &r);
	framing_reader_deinit(&r);
	framing_reader_deinit(&r);
	if (t.n != row->out.n || memcmp(t.text, row->out.p, t.n) != 0)
		fail_msg("%.*s: \"%.*s\" instead of \"%.*s\"", (int)row->input.n,
			 (const char *)row->input.p, (int)t.n, t.text, (int)row->out.n,
			 (const char *)row->out.p);
}

/* Every row in every split. */
static UNUSED void read_rows(const struct in_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct reading slow = { &rows[i], false }, fast = { &rows[i], true };

		chunks_each(rows[i].input, read_all, &slow);
		chunks_each(rows[i].input, read_all, &fast);
	}
}

/* Each row is one packet. */
static UNUSED void read_packets(const struct in_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct reading slow = { &rows[i], false }, fast = { &rows[i], true };
		struct chunks c = { .input = rows[i].input };

		guard_init(&c.guard, c.input.n);
		chunks_once(&c, c.input.n, 1, read_all, &slow);
		chunks_once(&c, c.input.n, 1, read_all, &fast);
		guard_deinit(&c.guard);
	}
}

static UNUSED uint32_t seed;

static UNUSED uint32_t pick(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* A text of bytes and characters that matter to some framing; always valid UTF-8. */
static UNUSED struct span random_text(char *out, size_t most)
{
	static const struct span parts[] = {
		S("\n"),
		S("\\"),
		S("n"),
		S("0"),
		S("\0"),
		S("\r"),
		S(" "),
		S("\""),
		S("\x1F"),
		S("\x7F"),
		S("\xC3\xA4"),
		S("\xF0\x9F\x98\x80"),
		S("\x1B[2J"),
		S("{\"a\":1}"),
		S("\xE2\x80\xA8"),
		S("\"}\n{\"type\":\"text\",\"data\":\"forged\"}\n"),
	};
	size_t n = 0;

	while (pick(12) > 0) {
		struct span part = parts[pick(N(parts))];

		if (part.n > most - n)
			break;
		memcpy(out + n, part.p, part.n);
		n += part.n;
	}
	return span_of(out, n);
}

static UNUSED struct span random_bytes(char *out, size_t most)
{
	size_t n = pick((uint32_t)most);

	for (size_t i = 0; i < n; i++)
		out[i] = (char)pick(256);
	return span_of(out, n);
}

/* Some messages, and the reader that must give them back. */
struct stream {
	const struct endpoint_rules *conf;
	struct msg messages[8];
	char data[8][64];
};

static UNUSED void read_back(struct chunks *c, void *arg)
{
	const struct stream *s = arg;
	struct framing f;
	struct framing_reader r;
	struct error err;
	struct span piece;
	struct order o;
	size_t n = 0;

	framing_init(&f, s->conf, 1024);
	framing_reader_init(&r, &f);
	while (chunks_next(c, &piece)) {
		enum framing_result result;

		while ((result = framing_next(&r, &piece, &o, &err)) != FRAMING_MORE) {
			assert_int_equal(result, FRAMING_ORDER);
			assert_true(n < 8);
			assert_int_equal(o.type, ORDER_MESSAGE);
			assert_int_equal(o.msg.type, s->messages[n].type);
			assert_int_equal(o.msg.more, s->messages[n].more);
			assert_true(span_equal(o.msg.data, s->messages[n].data));
			n++;
		}
	}
	assert_int_equal(n, 8);
	assert_int_equal(framing_pending(&r), 0);
	framing_reader_deinit(&r);
}

/* Fills s->messages with random ones of a type, or of both (-1). */
static UNUSED void random_messages(struct stream *s, int type, bool fragments)
{
	for (size_t i = 0; i < 8; i++) {
		struct msg *m = &s->messages[i];
		bool text = type < 0 ? pick(2) == 0 : type == MSG_TEXT;

		m->type = text ? MSG_TEXT : MSG_BINARY;
		m->data = text ? random_text(s->data[i], 64) : random_bytes(s->data[i], 64);
		m->more = fragments && pick(4) == 0;
	}
}

/* As values, texts come back but for their newlines. */
static UNUSED void blank_newlines(struct stream *s)
{
	for (size_t i = 0; i < 8; i++)
		for (size_t j = 0; j < s->messages[i].data.n; j++)
			if (s->messages[i].type == MSG_TEXT && memchr("\n\r", s->data[i][j], 2))
				s->data[i][j] = ' ';
}

/* Random messages → records → every split → the same messages. */
static UNUSED void round_trip(const struct endpoint_rules *conf, int type, bool fragments)
{
	struct stream s = { .conf = conf };
	uint8_t all[8192];
	size_t n = 0;

	random_messages(&s, type, fragments);
	if (conf->data == JSON_DATA_INLINE)
		blank_newlines(&s);
	for (size_t i = 0; i < 8; i++) {
		struct record r = message(s.messages[i].type, s.messages[i].data);
		size_t size = 0;
		bool replaced;
		uint8_t *record;

		r.msg.more = s.messages[i].more;
		r.seq = pick(1000000);
		r.time = INT64_C(1768980000123456) + pick(1000000);
		record = encode(conf, &r, &size, &replaced);
		assert_non_null(record);
		assert_false(replaced);
		assert_true(size <= sizeof(all) - n);
		memcpy(all + n, record, size);
		n += size;
		free(record);
	}
	chunks_each(span_of(all, n), read_back, &s);
}

#endif
