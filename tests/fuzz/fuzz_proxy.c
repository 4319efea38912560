/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation with a proxy. The input: one byte with the kind of proxy
 * and whether there are credentials, one byte with the size of pieces
 * (0 = whole), and then the bytes of the proxy; a connection that the proxy
 * wants anew goes on with the rest of them.
 *
 * Oracle: the machine ends; it is open exactly where a byte-by-byte run is,
 * and with one byte more in the same piece it is not; any split gives the same
 * verdict with the same words; SOCKS opens where a second, simple reader of
 * the bytes says so; no password in an error, no more output than one proxy
 * may ask for.
 */
#include "fuzz.h"

#include <netinet/in.h>

#include "net/proxy_auth.h"
#include "net/proxy_talk.h"

#define PASSWORD "open sesame 4711"
#define EARLY "the proxy answered before it was asked"
#define REQUESTS_MAX 3
#define CONNECTIONS_MAX 3

struct verdict {
	enum proxy_result result;
	struct error err;
	size_t used; /* bytes of the input up to the verdict, in whole pieces */
	size_t output;
	unsigned connections;
};

/* Feeds pieces until the talk is over; what goes out is taken at once. */
static enum proxy_result run_talk(struct proxy_talk *t, struct span bytes, size_t step,
				  struct verdict *v)
{
	enum proxy_result result = PROXY_MORE;

	for (;;) {
		size_t left = bytes.n - v->used, n = step < left ? step : left;

		CHECK(result != PROXY_OPEN || proxy_talk_output(t).n == 0);
		v->output += proxy_talk_output(t).n;
		proxy_talk_sent(t, proxy_talk_output(t).n);
		if (result != PROXY_MORE)
			return result;
		if (n == 0)
			return proxy_talk_end(t, NULL, &v->err);
		result = proxy_talk_feed(t, span_of(bytes.p + v->used, n), &v->err);
		v->used += n;
	}
}

static void run(const struct proxy_params *params, struct span bytes, size_t step,
		struct verdict *v)
{
	struct proxy_memory *memory = proxy_memory_new();
	struct proxy_talk t;

	*v = (struct verdict){ .result = PROXY_AGAIN };
	while (v->result == PROXY_AGAIN) {
		CHECK(++v->connections <= CONNECTIONS_MAX);
		CHECK(proxy_talk_init(&t, params, memory, &v->err));
		v->result = run_talk(&t, bytes, step, v);
		CHECK(v->result != PROXY_MORE);
		if (v->result == PROXY_AGAIN || v->result == PROXY_BAD) {
			CHECK(v->err.code == ERR_PROXY && v->err.stage == STAGE_PROXY);
			CHECK(v->err.text[0] && !strstr(v->err.text, "sesame"));
		}
		proxy_talk_deinit(&t);
	}
	/* Each connection asks once on its own; each 407 that is followed asks once more. */
	CHECK(v->output <= (size_t)(REQUESTS_MAX + CONNECTIONS_MAX) * 8192);
	proxy_memory_free(memory);
}

static size_t reply5_size(struct span s)
{
	if (s.n < 5 || s.p[0] != 5 || s.p[1] != 0)
		return 0;
	if (s.p[3] == 1)
		return 10;
	if (s.p[3] == 4)
		return 22;
	return s.p[3] == 3 ? 7U + s.p[4] : 0;
}

/* After how many bytes is the way open? 0 = never. */
static size_t reference_socks(struct span s, bool is_socks5, bool has_password)
{
	size_t n = 2;

	if (!is_socks5)
		return s.n >= 8 && s.p[0] == 0 && s.p[1] == 90 ? 8 : 0;
	if (s.n < 2 || s.p[0] != 5 || (s.p[1] != 0 && (s.p[1] != 2 || !has_password)))
		return 0;
	if (s.p[1] == 2) {
		if (s.n < 4 || s.p[2] != 1 || s.p[3] != 0)
			return 0;
		n = 4;
	}
	if (reply5_size(span_skip(s, n)) == 0)
		return 0;
	n += reply5_size(span_skip(s, n));
	return n <= s.n ? n : 0;
}

static void check_same(const struct verdict *a, const struct verdict *b)
{
	CHECK(a->result == b->result);
	CHECK(a->connections == b->connections);
	CHECK(a->err.status == b->err.status);
	CHECK(strcmp(a->err.text, b->err.text) == 0);
}

/*
 * Pieces larger than a byte may hold answers to questions that were not out
 * yet, or bytes behind the last answer; then, and only then, the verdict may
 * be another one.
 */
static void check_split(const struct proxy_params *params, struct span bytes, size_t step,
			const struct verdict *drip)
{
	struct verdict v;

	run(params, bytes, step, &v);
	if (strcmp(v.err.text, EARLY) == 0 && v.result == PROXY_BAD)
		return;
	if (drip->connections > 1) /* pieces that reach over the end of a connection are cut */
		return;
	if (drip->result != PROXY_OPEN) {
		check_same(&v, drip);
		return;
	}
	CHECK((v.result == PROXY_OPEN) == (v.used == drip->used));
	CHECK(v.result == PROXY_OPEN || v.used > drip->used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rand_source source = { fuzz_rand_fill };
	const struct sockaddr_in address = { .sin_family = AF_INET };
	struct proxy_params params = {
		.rand = &source,
		.target = { .host = "server.example", .port = 443 },
	};
	struct verdict drip;
	struct span bytes;

	if (size < 2)
		return 0;
	params.kind = (enum proxy_kind)(data[0] % 6);
	params.user = data[0] & 0x80 ? "user" : NULL;
	params.password = data[0] & 0x80 ? PASSWORD : NULL;
	if (proxy_wants_address(params.kind))
		params.target.address = (const struct sockaddr *)(const void *)&address;
	bytes = span_of(data + 2, size - 2);
	run(&params, bytes, 1, &drip);
	if (params.kind >= PROXY_SOCKS4) {
		size_t at = reference_socks(bytes, params.kind >= PROXY_SOCKS5, params.user);

		CHECK((drip.result == PROXY_OPEN) == (at > 0));
		CHECK(at == 0 || drip.used == at);
	}
	check_split(&params, bytes, SIZE_MAX, &drip);
	check_split(&params, bytes, data[1] ? data[1] : SIZE_MAX, &drip);
	return 0;
}
