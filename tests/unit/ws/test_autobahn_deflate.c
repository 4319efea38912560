/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cases 12 and 13 of the Autobahn suite by their numbers: compressed
 * messages of its sizes and fragments, in each of its five kinds of content
 * (12.1 to 12.5) and under each of its seven agreements (13.1 to 13.7), echoed.
 * The suite has 1000 messages in a case; here as many as make the sizes meet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ws/peer_deflate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { CONTENT = 300000, BYTES_OF_A_CASE = 400000, MESSAGES_MAX = 40 };

static const struct {
	size_t n, fragment;
} sizes[] = {
	{ 16, 0 },	  { 64, 0 },	    { 256, 0 },	       { 1024, 0 },    { 4096, 0 },
	{ 8192, 0 },	  { 16384, 0 },	    { 32768, 0 },      { 65536, 0 },   { 131072, 0 },
	{ 8192, 256 },	  { 16384, 256 },   { 32768, 256 },    { 65536, 256 }, { 131072, 256 },
	{ 131072, 1024 }, { 131072, 4096 }, { 131072, 32768 },
};

static uint32_t next(uint32_t *x)
{
	*x = *x * 1664525 + 1013904223;
	return *x >> 16;
}

/* 12.1: JSON in UTF-8 */
static void fill_json(struct buf *out)
{
	peer_prose(out, CONTENT, 1);
}

/* 12.2: an image, which can be compressed a little */
static void fill_image(struct buf *out)
{
	uint32_t x = 2;

	for (size_t i = 0; i < CONTENT; i++) {
		uint8_t byte = (uint8_t)(i / 512 + next(&x) % 32);

		assert_true(buf_append(out, span_of(&byte, 1)));
	}
}

/* 12.3: prose */
static void fill_prose(struct buf *out)
{
	static const char *const words[] = { "In ",   "the ", "beginning ", "was ",
					     "word ", "and ", "earth",	    ".\n" };
	uint32_t x = 3;

	while (out->len < CONTENT)
		assert_true(buf_append(out, span_str(words[next(&x) % COUNT(words)])));
}

/* 12.4: HTML */
static void fill_html(struct buf *out)
{
	uint32_t x = 4;
	char line[80];

	while (out->len < CONTENT) {
		snprintf(line, sizeof(line), "<tr><td>%u</td><td class=\"a%u\">&nbsp;</td></tr>\n",
			 next(&x), next(&x) % 9);
		assert_true(buf_append(out, span_str(line)));
	}
}

/* 12.5: what cannot be compressed at all */
static void fill_noise(struct buf *out)
{
	uint32_t x = 5;

	for (size_t i = 0; i < CONTENT; i++) {
		uint8_t byte = (uint8_t)next(&x);

		assert_true(buf_append(out, span_of(&byte, 1)));
	}
}

struct run {
	struct ws_conn *c;
	struct peer_deflate peer;
	struct buf wire, back, message;
};

/* The message goes to the client, which sends it back. */
static void echo(struct run *r, struct msg msg, size_t fragment)
{
	struct ws_event ev;
	struct span wire;
	struct msg back;
	bool packed;

	buf_clear(&r->wire);
	buf_clear(&r->back);
	peer_deflate_put(&r->peer, &r->wire, msg, fragment);
	ws_conn_feed(r->c, buf_bytes(&r->wire));
	assert_int_equal(ws_conn_next(r->c, &ev), WS_MESSAGE);
	assert_int_equal(ev.msg.type, msg.type);
	assert_true(span_equal(ev.msg.data, msg.data));
	assert_int_equal(ws_conn_send(r->c, ev.msg), WS_SENT);
	assert_int_equal(ws_conn_next(r->c, &ev), WS_NONE);
	peer_write(r->c, &r->back);
	wire = buf_bytes(&r->back);
	back = peer_deflate_take(&r->peer, &wire, &r->message, &packed);
	assert_int_equal(back.type, msg.type);
	assert_true(span_equal(back.data, msg.data));
	assert_int_equal(wire.n, 0);
}

static void run_case(const struct ws_deflate *agreed, const struct buf *content, size_t size,
		     bool text)
{
	struct fixed_rand rand;
	struct ws_params params = peer_params(&rand);
	struct run r = { .c = peer_deflate_open(&params, agreed) };
	size_t n = sizes[size].n, count = BYTES_OF_A_CASE / n, at = 0;

	peer_deflate_init(&r.peer, agreed, 6);
	buf_init(&r.wire, (size_t)1 << 24);
	buf_init(&r.back, (size_t)1 << 24);
	buf_init(&r.message, (size_t)1 << 24);
	for (size_t i = 0; i < count && i < MESSAGES_MAX; i++) {
		struct msg msg = { .type = text ? MSG_TEXT : MSG_BINARY,
				   .data = span_of(content->data + at, n) };

		echo(&r, msg, sizes[size].fragment);
		at = (at + n) % (content->len - sizes[COUNT(sizes) - 1].n);
	}
	peer_deflate_deinit(&r.peer);
	buf_deinit(&r.wire);
	buf_deinit(&r.back);
	buf_deinit(&r.message);
	ws_conn_free(r.c);
}

static void run_cases(const struct ws_deflate *agreed, void (*fill)(struct buf *out), bool text)
{
	struct buf content;

	buf_init(&content, 2 * (size_t)CONTENT);
	fill(&content);
	for (size_t i = 0; i < COUNT(sizes); i++)
		run_case(agreed, &content, i, text);
	buf_deinit(&content);
}

static void case_12_1_json(void **state)
{
	(void)state;
	run_cases(&peer_deflate_full, fill_json, false);
}

static void case_12_2_image(void **state)
{
	(void)state;
	run_cases(&peer_deflate_full, fill_image, false);
}

static void case_12_3_prose(void **state)
{
	(void)state;
	run_cases(&peer_deflate_full, fill_prose, true);
}

static void case_12_4_html(void **state)
{
	(void)state;
	run_cases(&peer_deflate_full, fill_html, true);
}

static void case_12_5_noise(void **state)
{
	(void)state;
	run_cases(&peer_deflate_full, fill_noise, false);
}

/* What the server answers: takeover of both sides off or on, windows of 9, of 15, or none named. */
static void case_13_1_to_13_7_agreements(void **state)
{
	static const struct {
		bool alone;
		uint8_t bits;
	} rows[] = { { false, 15 }, { true, 15 }, { false, 9 }, { false, 15 },
		     { true, 9 },   { true, 15 }, { true, 8 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct ws_deflate agreed = peer_deflate_full;

		agreed.client_no_context_takeover = agreed.server_no_context_takeover =
			rows[i].alone;
		agreed.server_max_window_bits = rows[i].bits;
		agreed.client_max_window_bits = rows[i].bits;
		run_cases(&agreed, i % 2 ? fill_prose : fill_html, true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_12_1_json),  cmocka_unit_test(case_12_2_image),
		cmocka_unit_test(case_12_3_prose), cmocka_unit_test(case_12_4_html),
		cmocka_unit_test(case_12_5_noise), cmocka_unit_test(case_13_1_to_13_7_agreements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
