/* SPDX-License-Identifier: Apache-2.0 */
/* See sim_rand.h. */
#include "sim/sim_rand.h"

#include <math.h>
#include <string.h>

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t sim_u64(struct sim_rand *r)
{
	uint64_t *s = r->state, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

static void fill(struct rand_source *source, void *out, size_t n)
{
	struct sim_rand *r = (struct sim_rand *)source;
	uint8_t *p = out;

	r->calls++;
	while (n > 0) {
		uint64_t word = sim_u64(r);
		size_t some = n < sizeof(word) ? n : sizeof(word);

		memcpy(p, &word, some);
		p += some;
		n -= some;
	}
}

/* splitmix64 */
static uint64_t scramble(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

void sim_rand_init(struct sim_rand *r, uint64_t seed, uint64_t stream)
{
	uint64_t x = seed, y = scramble(&x) ^ stream;

	*r = (struct sim_rand){ .source = { fill } };
	for (int i = 0; i < 4; i++)
		r->state[i] = scramble(&y);
}

uint64_t sim_below(struct sim_rand *r, uint64_t n)
{
	return sim_u64(r) % n;
}

int64_t sim_between(struct sim_rand *r, int64_t low, int64_t high)
{
	return low + (int64_t)sim_below(r, (uint64_t)(high - low) + 1);
}

bool sim_chance(struct sim_rand *r, unsigned percent)
{
	return sim_below(r, 100) < percent;
}

int64_t sim_spread(struct sim_rand *r, int64_t low, int64_t high)
{
	double unit = (double)(sim_u64(r) >> 11) / 9007199254740992.0;

	return (int64_t)((double)low * pow((double)high / (double)low, unit));
}
