/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The response to an upgrade. The input: one byte that says what was offered
 * (bits 0 to 2: subprotocols, 3: compression, 4 to 7: its parameters), one byte
 * with the size of pieces (0 = whole), and then the bytes of the server.
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
	struct reference_choice chosen;
};

static struct ws_deflate deflate_of(const struct reference_deflate *d)
{
	return (struct ws_deflate){ .on = d->on,
				    .server_no_context_takeover = d->server_alone,
				    .client_no_context_takeover = d->client_alone,
				    .server_max_window_bits = (uint8_t)d->server_bits,
				    .client_max_window_bits = (uint8_t)d->client_bits };
}

/* What was agreed, and the name that was offered and chosen. */
static void note_choice(const struct ws_conn *c, const struct reference_offer *offer,
			struct reference_choice *chosen)
{
	const char *name = ws_conn_subprotocol(c);
	struct ws_compression compression;

	ws_conn_compression(c, &compression);
	chosen->deflate = (struct reference_deflate){
		.on = compression.agreed.on,
		.server_alone = compression.agreed.server_no_context_takeover,
		.client_alone = compression.agreed.client_no_context_takeover,
		.server_bits = compression.agreed.server_max_window_bits,
		.client_bits = compression.agreed.client_max_window_bits,
	};
	for (size_t i = 0; name && i < offer->n; i++)
		if (strcmp(name, offer->names[i]) == 0)
			chosen->name = offer->names[i];
}

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
		.deflate = deflate_of(&offer->deflate),
		.deflate_level = 1,
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
	verdict->chosen = (struct reference_choice){ .name = NULL };
	if (verdict->opened)
		note_choice(c, offer, &verdict->chosen);
	ws_conn_free(c);
}

static void check_choice(const struct reference_choice *a, const struct reference_choice *b)
{
	CHECK(a->name == b->name);
	CHECK(a->deflate.on == b->deflate.on);
	CHECK(a->deflate.server_alone == b->deflate.server_alone);
	CHECK(a->deflate.client_alone == b->deflate.client_alone);
	CHECK(a->deflate.server_bits == b->deflate.server_bits);
	CHECK(a->deflate.client_bits == b->deflate.client_bits);
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
	CHECK(a->opened == b->opened);
	check_choice(&a->chosen, &b->chosen);
	CHECK(a->err.code == b->err.code);
	CHECK(a->err.stage == b->err.stage);
	CHECK(a->err.status == b->err.status);
	CHECK(strcmp(a->err.text, b->err.text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reference_offer offer = { .n = 0 };
	struct verdict whole, other;
	struct reference_choice chosen;
	struct span bytes;

	if (size < 2)
		return 0;
	for (size_t i = 0; i < REFERENCE_OFFERS; i++) {
		if (data[0] >> i & 1)
			offer.names[offer.n++] = names[i];
	}
	if (data[0] & 0x08)
		offer.deflate = (struct reference_deflate){ .on = true,
							    .server_alone = data[0] & 0x10,
							    .client_alone = data[0] & 0x20,
							    .server_bits = data[0] & 0x40 ? 10 : 15,
							    .client_bits = data[0] & 0x80 ? 9 :
											    15 };
	bytes = span_of(data + 2, size - 2);
	run(bytes, &offer, SIZE_MAX, &whole);
	run(bytes, &offer, 1, &other);
	check_same(&whole, &other);
	run(bytes, &offer, data[1] ? data[1] : SIZE_MAX, &other);
	check_same(&whole, &other);
	CHECK(whole.opened == reference_accepts(bytes, &offer, FUZZ_ACCEPT, &chosen));
	check_choice(&whole.chosen, &chosen);
	return 0;
}
