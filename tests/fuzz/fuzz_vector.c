/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector code against its portable twin. The input: one byte for the alignment,
 * one for the place where the rest, the bytes, is cut in two.
 *
 * Oracle: at each level that the machine has, UTF-8 is refused with the same
 * piece or left in the same state, the same byte ends a JSON string, Base64 and
 * XOR give the same bytes, and the same texts are JSON: by themselves, and in a list, behind
 * other values.
 */
#include "fuzz.h"

#include "base/base64.h"
#include "base/cpu.h"
#include "base/json_cut.h"
#include "base/search.h"
#include "base/utf8.h"
#include "base/xor.h"

enum { DEPTH = 20, ALIGNMENTS = 64 };

struct input {
	size_t cut;
	struct span bytes;
	uint8_t key[4];
};

/* All that is compared. */
struct answers {
	bool first, second, complete, valid, json, listed, decodes;
	size_t valid_len, special, decoded_len;
	uint8_t *encoded, *decoded, *masked; /* in blocks of their exact size */
};

static uint8_t *room(size_t n)
{
	uint8_t *p = malloc(n ? n : 1);

	CHECK(p);
	return p;
}

static void ask_utf8(const struct input *in, struct answers *a)
{
	struct utf8 u = { 0 };

	a->first = utf8_feed(&u, span_of(in->bytes.p, in->cut));
	a->second = a->first && utf8_feed(&u, span_skip(in->bytes, in->cut));
	a->complete = a->second && utf8_complete(&u);
	a->valid = utf8_valid(in->bytes);
	a->valid_len = utf8_valid_len(in->bytes);
}

/* As the input stands, and in a text that is never short, at any place of a block. */
static void ask_json(const struct input *in, struct answers *a)
{
	static const char front[] = "[{\"a\":-1.5},\"\\n\",[[]],", back[] = " ,true, {} ]";
	size_t n = in->bytes.n, spaces = in->cut % ALIGNMENTS, at = sizeof(front) - 1;
	uint8_t *list = room(sizeof(front) + ALIGNMENTS + n + sizeof(back));

	memcpy(list, front, at);
	memset(list + at, ' ', spaces);
	at += spaces;
	if (n > 0)
		memcpy(list + at, in->bytes.p, n);
	memcpy(list + at + n, back, sizeof(back) - 1);
	a->json = json_cut_valid(in->bytes, DEPTH);
	a->listed = json_cut_valid(span_of(list, at + n + sizeof(back) - 1), DEPTH);
	free(list);
}

static void ask(const struct input *in, struct answers *a)
{
	const uint8_t *p = in->bytes.p;
	size_t n = in->bytes.n;

	*a = (struct answers){ .encoded = room(BASE64_ENCODED_SIZE(n)),
			       .decoded = room(BASE64_DECODED_MAX(n)),
			       .masked = room(n) };
	ask_utf8(in, a);
	a->special = (size_t)(search_json(p, p + n) - p);
	ask_json(in, a);
	base64_encode((char *)a->encoded, in->bytes);
	a->decodes = base64_decode(a->decoded, &a->decoded_len, in->bytes);
	xor_copy(a->masked, in->bytes, in->key, in->cut);
}

static void forget(struct answers *a)
{
	free(a->encoded);
	free(a->decoded);
	free(a->masked);
}

static void compare(const struct answers *a, const struct answers *b, size_t n)
{
	CHECK(a->first == b->first && a->second == b->second && a->complete == b->complete);
	CHECK(a->valid == b->valid && a->valid_len == b->valid_len);
	CHECK(a->special == b->special);
	CHECK(a->json == b->json && a->listed == b->listed);
	CHECK(memcmp(a->encoded, b->encoded, BASE64_ENCODED_SIZE(n)) == 0);
	CHECK(a->decodes == b->decodes);
	CHECK(!a->decodes || (a->decoded_len == b->decoded_len &&
			      memcmp(a->decoded, b->decoded, a->decoded_len) == 0));
	CHECK(memcmp(a->masked, b->masked, n) == 0);
}

/* What holds at any level. */
static void check_alone(const struct input *in, const struct answers *a)
{
	size_t coded = BASE64_ENCODED_SIZE(in->bytes.n), n;
	uint8_t *back = room(BASE64_DECODED_MAX(coded));

	CHECK(a->valid == (a->valid_len == in->bytes.n) && a->valid == a->complete);
	CHECK(!a->json || a->valid);
	CHECK(base64_decode(back, &n, span_of(a->encoded, coded)));
	CHECK(span_equal(span_of(back, n), in->bytes));
	xor_copy(a->masked, span_of(a->masked, n), in->key, in->cut);
	CHECK(n == 0 || memcmp(a->masked, in->bytes.p, n) == 0);
	free(back);
}

static void check_levels(const struct input *in)
{
	struct answers portable, vector;

	CHECK(cpu_limit("portable"));
	ask(in, &portable);
	for (unsigned i = CPU_PORTABLE + 1; i < CPU_LEVELS; i++) {
		if (!cpu_limit(cpu_level_name((enum cpu_level)i)))
			continue;
		ask(in, &vector);
		compare(&portable, &vector, in->bytes.n);
		check_alone(in, &vector);
		forget(&vector);
	}
	check_alone(in, &portable);
	forget(&portable);
	cpu_limit(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { .key = { 0x37, 0xFA, 0x21, 0x3D } };
	uint8_t *copy;
	size_t pad;

	if (size < 2)
		return 0;
	pad = data[0] % ALIGNMENTS;
	copy = room(pad + size - 2);
	memset(copy, 0, pad);
	memcpy(copy + pad, data + 2, size - 2);
	in.bytes = span_of(copy + pad, size - 2);
	in.cut = data[1] % (size - 1);
	check_levels(&in);
	free(copy);
	return 0;
}
