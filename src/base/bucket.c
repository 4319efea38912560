/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See bucket.h. It keeps no timer: who found it empty asks how long to wait.
 * The trap: tokens are fractions, so a wait is rounded up, or it would end
 * just before the token is whole.
 */
#include "base/bucket.h"

static double tokens_at(const struct bucket *b, int64_t now)
{
	double tokens = b->tokens;

	if (now > b->at)
		tokens += (double)(now - b->at) / 1e6 * b->rate;
	return tokens < b->burst ? tokens : b->burst;
}

void bucket_init(struct bucket *b, double rate, double burst, int64_t now)
{
	*b = (struct bucket){
		.rate = rate,
		.burst = burst < 1 ? 1 : burst,
		.tokens = burst < 1 ? 1 : burst,
		.at = now,
	};
}

void bucket_change(struct bucket *b, double rate, double burst, int64_t now)
{
	double tokens = b->rate > 0 ? tokens_at(b, now) : burst;

	bucket_init(b, rate, burst, now);
	if (tokens < b->burst)
		b->tokens = tokens;
}

/* A rounded wait may leave a token short by the last digit of a double. */
#define WHOLE (1 - 1e-9)

bool bucket_take(struct bucket *b, int64_t now)
{
	double tokens;

	if (b->rate <= 0)
		return true;
	tokens = tokens_at(b, now);
	if (tokens < WHOLE)
		return false;
	b->tokens = tokens - 1;
	b->at = now > b->at ? now : b->at;
	return true;
}

int64_t bucket_wait(const struct bucket *b, int64_t now)
{
	double missing;

	if (b->rate <= 0)
		return 0;
	missing = 1 - tokens_at(b, now);
	return missing <= 1 - WHOLE ? 0 : (int64_t)(missing / b->rate * 1e6) + 1;
}
