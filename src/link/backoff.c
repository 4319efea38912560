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

int backoff_peer_code(const struct session_end *end)
{
	return end->ours ? 0 : end->close_code;
}

bool backoff_is_slow(const struct session_end *end)
{
	return is_slow_status(end->err.status) || is_slow_close(backoff_peer_code(end)) ||
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
	double max = (double)conf->common->reconnect.max;
	double slow_max = (double)conf->common->reconnect.slow;
	uint64_t n = failures - 1;

	if (slow && slow_max > max)
		return grow(max,
			    conf->common->reconnect.factor > 1 ? conf->common->reconnect.factor : 2,
			    n, slow_max);
	return grow((double)conf->common->reconnect.initial, conf->common->reconnect.factor, n,
		    max);
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

static bool is_in(const int *list, size_t n, int value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i] == value)
			return true;
	return false;
}

/* With an error the code answers a Close of ours: a login that failed. */
static bool is_clean(const struct session_end *end)
{
	return !end->err.code && end->clean && end->close_code == 1000;
}

enum backoff_over backoff_over(const struct backoff *b, const struct bridge_conf *conf,
			       const struct session_end *end)
{
	if (conf->common->reconnect.when == WHEN_NEVER)
		return BACKOFF_NEVER;
	if (conf->common->reconnect.when == WHEN_ABNORMAL && is_clean(end))
		return BACKOFF_CLEAN;
	if (is_in(conf->common->reconnect.fatal_status, conf->common->reconnect.n_fatal_status,
		  end->err.status))
		return BACKOFF_STATUS;
	if (is_in(conf->common->reconnect.fatal_close, conf->common->reconnect.n_fatal_close,
		  backoff_peer_code(end)))
		return BACKOFF_CLOSE;
	if (conf->common->reconnect.attempts > 0 &&
	    b->failures >= (uint64_t)conf->common->reconnect.attempts)
		return BACKOFF_ATTEMPTS;
	return BACKOFF_GOES_ON;
}

/* The server has said when it wants to be asked again. */
static int64_t floor_of(const struct session_end *end)
{
	int64_t after = end->retry_after;

	if (after > 0 && after < BACKOFF_AFTER_MIN)
		return BACKOFF_AFTER_MIN;
	if (after > 0)
		return after < BACKOFF_AFTER_MAX ? after : BACKOFF_AFTER_MAX;
	return end->close_code == 1012 || end->close_code == 1013 ? BACKOFF_RESTART : 0;
}

/* Many were sent away at the same moment: they shall not all come back at one. */
static int64_t spread(enum conf_jitter kind, int64_t least, struct rand_source *rand)
{
	double quarter = (double)least / 4;

	return kind == JITTER_NONE ? least : least + (int64_t)(rand_unit(rand) * quarter);
}

static void judge(struct backoff *b, const struct bridge_conf *conf, const struct session_end *end)
{
	bool proven = end->was_open && end->open_for >= conf->common->reconnect.reset_after;

	if (proven)
		b->failures = b->short_lived = 0;
	else if (end->was_open)
		b->short_lived++;
	b->failures++;
}

bool backoff_is_flapping(const struct backoff *b)
{
	return b->short_lived >= BACKOFF_FLAPPING;
}

enum backoff_verdict backoff_ended(struct backoff *b, const struct bridge_conf *conf,
				   const struct session_end *end, struct rand_source *rand,
				   int64_t *delay)
{
	int64_t least = floor_of(end), wait;

	judge(b, conf, end);
	if (backoff_over(b, conf, end) != BACKOFF_GOES_ON)
		return BACKOFF_STOP;
	wait = (int64_t)jitter(conf->common->reconnect.jitter,
			       bound_of(conf, b->failures, backoff_is_slow(end)), rand);
	if (wait < least) {
		wait = spread(conf->common->reconnect.jitter, least, rand);
		if (wait > BACKOFF_AFTER_MAX)
			wait = BACKOFF_AFTER_MAX;
	}
	*delay = wait;
	return BACKOFF_RETRY;
}
