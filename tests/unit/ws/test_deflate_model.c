/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sending with compression, where the output is often full, memory often
 * short, and given back at odd moments: whatever was taken arrives, once, in
 * order and whole, and nothing else does. The other side is zlib itself.
 */
#include "ws/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ws/peer_deflate.h"

#define ROUNDS 250
#define STEPS 120
#define RUN_MAX 6
#define MATERIAL 70000

struct model {
	struct ws_conn *c;
	struct peer_deflate peer;
	struct fixed_rand r;
	struct buf material, wire, message;
	struct buf taken; /* of all messages, one behind the other: what must arrive */
	struct buf ends;  /* size_t: where in `taken` each of them ends */
	size_t arrived;	  /* of these */
	uint64_t packed;  /* of those that arrived */
	unsigned seed;
	bool under_way; /* its last fragment has not been taken */
	enum msg_type type;
};

static unsigned draw(struct model *m, unsigned below)
{
	m->seed = m->seed * 1103515245 + 12345;
	return (m->seed >> 8) % below;
}

static struct msg make_message(struct model *m)
{
	size_t n = draw(m, 3) ? draw(m, 400) : draw(m, draw(m, 4) ? 3000 : MATERIAL);

	return (struct msg){ .type = draw(m, 2) ? MSG_TEXT : MSG_BINARY,
			     .data = span_of(m->material.data + draw(m, MATERIAL), n) };
}

static void note(struct model *m, struct msg msg)
{
	assert_true(buf_append(&m->taken, msg.data));
	m->under_way = msg.more;
	if (!msg.more)
		assert_true(buf_append(&m->ends, span_of(&m->taken.len, sizeof(size_t))));
}

/* The peer reads what has left; it must be whole messages, but for the last. */
static void arrive(struct model *m)
{
	struct span wire = buf_bytes(&m->wire);
	const size_t *ends = (const size_t *)(const void *)m->ends.data;

	while (m->arrived * sizeof(size_t) < m->ends.len) {
		size_t from = m->arrived ? ends[m->arrived - 1] : 0;
		struct span want = span_of(m->taken.data + from, ends[m->arrived] - from);
		bool packed;
		struct msg got = peer_deflate_take(&m->peer, &wire, &m->message, &packed);

		if (got.data.n != want.n || !span_equal(got.data, want))
			fail_msg("message %zu: %zu bytes, not %zu", m->arrived, got.data.n, want.n);
		m->arrived++;
		m->packed += packed;
	}
	buf_consume(&m->wire, m->wire.len - wire.n);
}

static void send_message(struct model *m)
{
	struct msg msg = make_message(m);
	enum ws_send_result result;

	msg.more = draw(m, 4) == 0;
	if (m->under_way)
		msg.type = m->type;
	m->type = msg.type;
	if (draw(m, 8) == 0)
		mem_fail_try_after(1 + draw(m, 4));
	result = ws_conn_send(m->c, msg);
	mem_fail_try_after(0);
	if (result == WS_SENT)
		note(m, msg);
}

static void send_run(struct model *m)
{
	struct msg msgs[RUN_MAX];
	size_t n = 1 + draw(m, RUN_MAX), done;

	for (size_t i = 0; i < n; i++)
		msgs[i] = make_message(m);
	if (draw(m, 8) == 0)
		mem_fail_try_after(1);
	done = ws_conn_send_run(m->c, msgs, n, draw(m, 100000));
	mem_fail_try_after(0);
	assert_true(done == 0 || !m->under_way);
	for (size_t i = 0; i < done; i++)
		note(m, msgs[i]);
}

/* All that waits leaves; a message that has begun is ended before. */
static void settle(struct model *m)
{
	struct msg last = { .type = m->type, .data = span_of(NULL, 0) };

	peer_write(m->c, &m->wire);
	if (m->under_way) {
		assert_int_equal(ws_conn_send(m->c, last), WS_SENT);
		note(m, last);
		peer_write(m->c, &m->wire);
	}
	arrive(m);
	assert_int_equal(m->wire.len, 0);
}

static void begin(struct model *m, unsigned round)
{
	struct ws_deflate agreed = peer_deflate_full;
	struct ws_params params;

	*m = (struct model){ .seed = round };
	agreed.client_no_context_takeover = draw(m, 2);
	agreed.client_max_window_bits = (uint8_t)(9 + draw(m, 7));
	params = peer_params(&m->r);
	params.max_output = 1 << (10 + draw(m, 10));
	params.deflate_threshold = draw(m, 300);
	params.deflate_level = 1 + (int)draw(m, 9);
	m->c = peer_deflate_open(&params, &agreed);
	peer_deflate_init(&m->peer, &agreed, 6);
	buf_init(&m->material, (size_t)1 << 20);
	buf_init(&m->wire, (size_t)1 << 28);
	buf_init(&m->message, (size_t)1 << 28);
	buf_init(&m->taken, (size_t)1 << 28);
	buf_init(&m->ends, (size_t)1 << 20);
	peer_prose(&m->material, MATERIAL, round);
	for (unsigned i = 0; i < MATERIAL; i++) { /* half of it cannot be compressed */
		uint8_t noise = (uint8_t)draw(m, 256);

		assert_true(buf_append(&m->material, span_of(&noise, 1)));
	}
}

static void end(struct model *m)
{
	struct ws_compression figures;

	ws_conn_compression(m->c, &figures);
	assert_int_equal(figures.tx.messages, m->packed);
	ws_conn_free(m->c);
	peer_deflate_deinit(&m->peer);
	buf_deinit(&m->material);
	buf_deinit(&m->wire);
	buf_deinit(&m->message);
	buf_deinit(&m->taken);
	buf_deinit(&m->ends);
}

static void what_was_taken_arrives(void **state)
{
	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct model m;

		begin(&m, round);
		for (int i = 0; i < STEPS; i++) {
			switch (draw(&m, 8)) {
			case 0:
				settle(&m);
				break;
			case 1:
				ws_conn_release(m.c);
				break;
			case 2:
			case 3:
				send_run(&m);
				break;
			default:
				send_message(&m);
				break;
			}
		}
		settle(&m);
		end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_arrives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
