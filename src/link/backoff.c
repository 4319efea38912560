/* SPDX-License-Identifier: Apache-2.0 */
/* See backoff.h. */
#include "link/backoff.h"

#include "base/rand.h"

static bool is_slow_status(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

/* RFC 6455, 7.4.1: these name a disagreement about the protocol or the content. */
static bool is_slow_close(int code)
{
	return code == 1002 || code == 1003 || (code >= 1007 && code <= 1010);
}

bool backoff_is_slow(const struct session_end *end)
{
	return is_slow_status(end->err.status) || is_slow_close(end->close_code) ||
	       is_slow_close(end->err.close_code) || end->err.code == ERR_TLS;
}

/* initial × factor^n, at most max, without overflow whatever n is. */
static double grow(double initial, double factor, uint64_t n, double max)
{
	double v = initial;

	while (n-- > 0 && v < max) {
		if (factor <= 1)
			break;
		v *= factor;
	}
	return v < max ? v : max;
}

static double bound_of(const struct bridge_conf *conf, uint64_t failures, bool slow)
{
	double max = (double)conf->reconnect.max;
	double slow_max = (double)conf->reconnect.slow;
	uint64_t n = failures - 1;

	if (slow && slow_max > max)
		return grow(max, conf->reconnect.factor > 1 ? conf->reconnect.factor : 2, n,
			    slow_max);
	return grow((double)conf->reconnect.initial, conf->reconnect.factor, n, max);
}

static double jitter(enum conf_jitter kind, double bound, struct rand_source *rand)
{
	switch (kind) {
	case JITTER_EQUAL:
		return bound / 2 + rand_unit(rand) * bound / 2;
	case JITTER_FULL:
		return rand_unit(rand) * bound;
	case JITTER_NONE:
		return bound;
	}
	return bound;
}

static bool is_over(const struct backoff *b, const struct bridge_conf *conf,
		    const struct session_end *end)
{
	switch (conf->reconnect.when) {
	case WHEN_ALWAYS:
		break;
	case WHEN_ABNORMAL:
		if (end->clean && end->close_code == 1000)
			return true;
		break;
	case WHEN_NEVER:
		return true;
	}
	return conf->reconnect.attempts > 0 && b->failures >= (uint64_t)conf->reconnect.attempts;
}

enum backoff_verdict backoff_ended(struct backoff *b, const struct bridge_conf *conf,
				   const struct session_end *end, struct rand_source *rand,
				   int64_t *delay)
{
	if (end->was_open && end->open_for >= conf->reconnect.reset_after)
		b->failures = 0;
	b->failures++;
	if (is_over(b, conf, end))
		return BACKOFF_STOP;
	*delay = (int64_t)jitter(conf->reconnect.jitter,
				 bound_of(conf, b->failures, backoff_is_slow(end)), rand);
	return BACKOFF_RETRY;
}
