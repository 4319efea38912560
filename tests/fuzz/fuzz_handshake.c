/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response to an upgrade. The input: one byte that says which subprotocols
 * were offered, one byte with the size of pieces (0 = whole), and then the
 * bytes of the server.
 *
 * Oracle: the conversation opens if and only if a second, simple reader of the
 * whole response (reference.c) would open it; and any split gives the same
 * verdict with the same words.
 */
#include "fuzz.h"

#include "reference.h"
#include "ws/conn.h"

static const char *const names[REFERENCE_OFFERS] = { "chat", "superchat", "mqtt" };

struct verdict {
	bool opened;
	struct error err;
	const char *chosen;
};

static void run(struct span bytes, const struct reference_offer *offer, size_t step,
		struct verdict *verdict)
{
	static struct rand_source source = { fuzz_rand_fill };
	const struct ws_params params = {
		.target = "/",
		.host = "server.example",
		.subprotocols = offer->names,
		.n_subprotocols = offer->n,
		.max_message = 65536,
		.max_output = 65536,
		.validate_utf8 = true,
		.rand = &source,
	};
	struct ws_conn *c = ws_conn_new(&params);
	struct ws_event ev = { .type = WS_NONE };

	while (bytes.n > 0 && ev.type == WS_NONE) {
		size_t n = step < bytes.n ? step : bytes.n;

		CHECK(!ws_conn_is_open(c));
		ws_conn_feed(c, span_of(bytes.p, n));
		ws_conn_next(c, &ev);
		bytes = span_skip(bytes, n);
	}
	CHECK(ev.type == WS_NONE || ev.type == WS_UPGRADED || ev.type == WS_FAILED);
	verdict->opened = ev.type == WS_UPGRADED;
	verdict->err = *ws_conn_error(c);
	verdict->chosen = NULL;
	for (size_t i = 0; verdict->opened && ws_conn_subprotocol(c) && i < offer->n; i++) {
		if (strcmp(ws_conn_subprotocol(c), offer->names[i]) == 0)
			verdict->chosen = offer->names[i];
	}
	ws_conn_free(c);
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
	CHECK(a->opened == b->opened);
	CHECK(a->chosen == b->chosen);
	CHECK(a->err.code == b->err.code);
	CHECK(a->err.stage == b->err.stage);
	CHECK(a->err.status == b->err.status);
	CHECK(strcmp(a->err.text, b->err.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference_offer offer = { .n = 0 };
	struct verdict whole, other;
	const char *chosen = NULL;
	struct span bytes;

	if (size < 2)
		return 0;
	for (size_t i = 0; i < REFERENCE_OFFERS; i++) {
		if (data[0] >> i & 1)
			offer.names[offer.n++] = names[i];
	}
	bytes = span_of(data + 2, size - 2);
	run(bytes, &offer, SIZE_MAX, &whole);
	run(bytes, &offer, 1, &other);
	check_same(&whole, &other);
	run(bytes, &offer, data[1] ? data[1] : SIZE_MAX, &other);
	check_same(&whole, &other);
	CHECK(whole.opened == reference_accepts(bytes, &offer, FUZZ_ACCEPT, &chosen));
	CHECK(whole.chosen == chosen);
	return 0;
}
